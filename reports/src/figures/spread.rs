//! Moves marks apart that would cover each other, so that each of them stays visible.

use super::canvas::Point;

/// The least distance between the middles of two markers at which each is recognised.
pub(crate) const MARKERS_MM: f64 = 1.5;

/// What a caption says about markers that were moved.
pub(crate) const MOVED: &str = "Markers that would cover each other are moved apart.";

/// The points with each at least `least_mm` from those before it. A point that is too near takes the first of `moves` that is
/// far enough; if none is, it stays where it is.
fn spread(points: &[Point], least_mm: f64, moves: &[Point]) -> Vec<Point> {
    let near = nearest(least_mm);
    place(points, moves, |_, place, _, other| (place.0 - other.0).hypot(place.1 - other.1) < near)
}

/// A little less than the distance, because sums of moves are rounded.
fn nearest(least_mm: f64) -> f64 {
    0.99 * least_mm
}

/// The points, each moved by the first of `moves` with which it covers none before it. `covers` has the index and the place of both.
fn place(points: &[Point], moves: &[Point], covers: impl Fn(usize, Point, usize, Point) -> bool) -> Vec<Point> {
    let mut placed: Vec<Point> = Vec::with_capacity(points.len());
    for (index, (x, y)) in points.iter().enumerate() {
        let is_free = |at: &Point| placed.iter().enumerate().all(|(before, other)| !covers(index, *at, before, *other));
        let free = moves.iter().map(|(dx, dy)| (x + dx, y + dy)).find(is_free);
        placed.push(free.unwrap_or((*x, *y)));
    }
    placed
}

/// Moves points in any direction, the nearest places first.
pub(crate) fn around(points: &[Point], least_mm: f64) -> Vec<Point> {
    const DIRECTIONS: usize = 8;
    const RINGS: usize = 6;
    let ring = |ring: usize| {
        let radius = ring as f64 * least_mm / 2.0;
        (0..DIRECTIONS).map(move |direction| {
            let turn = std::f64::consts::TAU * direction as f64 / DIRECTIONS as f64;
            (radius * turn.cos(), radius * turn.sin())
        })
    };
    let moves: Vec<Point> = std::iter::once((0.0, 0.0)).chain((1..=RINGS).flat_map(ring)).collect();
    spread(points, least_mm, &moves)
}

/// A mark whose heights are what is read: a marker with its bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Upright {
    /// Its place on the horizontal axis.
    pub(crate) at: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

/// The places of marks that are moved to the right and to the left only, by at most `most_mm`. Marks of which none covers another's
/// heights share a place.
pub(crate) fn sideways(marks: &[Upright], least_mm: f64, most_mm: f64) -> Vec<f64> {
    let most = if least_mm > 0.0 { (most_mm / least_mm + 0.01) as usize } else { 0 };
    let steps = (1..=most).flat_map(|step| [step as f64, -(step as f64)]).map(|step| (step * least_mm, 0.0));
    let moves: Vec<Point> = std::iter::once((0.0, 0.0)).chain(steps).collect();
    let points: Vec<Point> = marks.iter().map(|mark| (mark.at, 0.0)).collect();
    let near = nearest(least_mm);
    let placed = place(&points, &moves, |index, place, before, other| {
        let (one, two) = (marks[index], marks[before]);
        (place.0 - other.0).abs() < near && one.top < two.bottom && two.top < one.bottom
    });
    placed.into_iter().map(|(at, _)| at).collect()
}

/// Moves points down by up to `room_mm`, because their horizontal places are what is read. If a stack is full, the next one is
/// beside it.
pub(crate) fn downwards(points: &[Point], least_mm: f64, room_mm: f64) -> Vec<Point> {
    let deep = (room_mm / least_mm) as usize;
    let across = [0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0];
    let stack = |column: f64| (0..=deep).map(move |step| (column * least_mm, step as f64 * least_mm));
    let moves: Vec<Point> = across.into_iter().flat_map(stack).collect();
    spread(points, least_mm, &moves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn least_distance(points: &[Point]) -> f64 {
        let pairs =
            points.iter().enumerate().flat_map(|(index, one)| points[..index].iter().map(move |other| (one, other)));
        pairs.map(|(one, other)| (one.0 - other.0).hypot(one.1 - other.1)).fold(f64::INFINITY, f64::min)
    }

    /// Points as markers of a height that is the distance between them.
    fn moved_sideways(points: &[Point]) -> Vec<Point> {
        let marks: Vec<Upright> =
            points.iter().map(|(at, y)| Upright { at: *at, top: y - 0.75, bottom: y + 0.75 }).collect();
        sideways(&marks, 1.5, 12.0).into_iter().zip(points).map(|(at, point)| (at, point.1)).collect()
    }

    #[test]
    fn points_that_coincide_come_apart_and_others_stay() {
        let points = [vec![(10.0, 10.0); 8], vec![(30.0, 30.0), (32.0, 30.0)]].concat();
        for spread in [around(&points, 1.5), moved_sideways(&points), downwards(&points, 1.5, 6.0)] {
            assert!(least_distance(&spread) >= 1.48, "{spread:?}");
            assert_eq!((spread[0], &spread[8..]), (points[0], &points[8..]));
        }
    }

    #[test]
    fn points_keep_the_coordinate_that_is_read() {
        let points = [(10.0, 10.0), (10.2, 10.1), (10.1, 9.9)];
        let kept = |spread: Vec<Point>, of: fn(&Point) -> f64| {
            spread.iter().map(of).collect::<Vec<_>>() == points.iter().map(of).collect::<Vec<_>>()
        };
        assert!(kept(downwards(&points, 1.5, 6.0), |point| point.0));
    }

    #[test]
    fn bars_that_cover_each_others_heights_come_apart_and_others_share_a_place() {
        let bar = |top, bottom| Upright { at: 10.0, top, bottom };
        assert_eq!(sideways(&[bar(0.0, 10.0), bar(8.0, 12.0), bar(11.0, 20.0)], 1.5, 4.5), [10.0, 11.5, 10.0]);
    }
}
