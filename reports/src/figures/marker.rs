//! Markers: shapes that tell models apart without colour.

use super::canvas::Point;

/// The shape of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// ●
    Circle,
    /// ■
    Square,
    /// ▲
    Triangle,
    /// ◆
    Diamond,
    /// ▼
    TriangleDown,
    /// ✚
    Plus,
    /// ✖
    Cross,
    /// ★
    Star,
    /// ◀
    TriangleLeft,
    /// ▶
    TriangleRight,
    /// ⧓
    BowTie,
    /// ⧗
    Hourglass,
    /// ▮
    Upright,
    /// ▬
    Flat,
    /// Three arms, as a Y.
    Fork,
}

/// The markers in the order in which models get them. Their number and that of the colours have no common divisor, so that all
/// pairs of a colour and a marker occur.
pub(crate) const MARKERS: [Marker; 15] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::TriangleDown,
    Marker::Plus,
    Marker::Cross,
    Marker::Star,
    Marker::Upright,
    Marker::BowTie,
    Marker::TriangleLeft,
    Marker::Flat,
    Marker::Hourglass,
    Marker::TriangleRight,
    Marker::Fork,
];

/// A point at a share of a turn around the origin.
fn turned(turn: f64, radius: f64) -> Point {
    let angle = std::f64::consts::TAU * turn;
    (radius * angle.cos(), radius * angle.sin())
}

/// The corners of a regular polygon.
fn regular(corners: usize, from_turn: f64, radius: f64) -> Vec<Point> {
    (0..corners).map(|corner| turned(corner as f64 / corners as f64 + from_turn, radius)).collect()
}

/// Arms of this many directions, each a bar from the origin. `half_mm` is half the width of a bar.
fn arms(count: usize, from_turn: f64, half_mm: f64, length_mm: f64) -> Vec<Point> {
    let step = 1.0 / count as f64;
    // Where the sides of two neighbouring arms meet.
    let inner = half_mm / (std::f64::consts::PI * step).sin();
    let arm = |index: usize| {
        let turn = from_turn + index as f64 * step;
        let ((x, y), (dx, dy)) = (turned(turn, length_mm), turned(turn + 0.25, half_mm));
        [(x - dx, y - dy), (x + dx, y + dy), turned(turn + step / 2.0, inner)]
    };
    (0..count).flat_map(arm).collect()
}

/// A rectangle around the origin, from the half of its width and of its height.
fn rectangle(w: f64, h: f64) -> Vec<Point> {
    vec![(-w, -h), (w, -h), (w, h), (-w, h)]
}

impl Marker {
    /// Its corners around the origin, before it is scaled to millimetres. All markers look equally heavy.
    pub(crate) fn outline(self) -> Vec<Point> {
        match self {
            Marker::Circle => regular(24, 0.0, 0.95),
            Marker::Square => regular(4, 0.125, 1.2),
            Marker::Triangle => regular(3, -0.25, 1.25),
            Marker::Diamond => regular(4, 0.0, 1.25),
            Marker::TriangleDown => regular(3, 0.25, 1.25),
            Marker::Plus => arms(4, 0.0, 0.36, 1.1),
            Marker::Cross => arms(4, 0.125, 0.36, 1.1),
            Marker::Star => {
                let tips = regular(5, -0.25, 1.35);
                let dents = regular(5, -0.25 + 0.1, 0.55);
                tips.into_iter().zip(dents).flat_map(|(tip, dent)| [tip, dent]).collect()
            }
            Marker::TriangleLeft => regular(3, 0.5, 1.25),
            Marker::TriangleRight => regular(3, 0.0, 1.25),
            Marker::BowTie => vec![(-1.15, -0.95), (0.0, -0.2), (1.15, -0.95), (1.15, 0.95), (0.0, 0.2), (-1.15, 0.95)],
            Marker::Hourglass => {
                vec![(-0.95, -1.15), (0.95, -1.15), (0.2, 0.0), (0.95, 1.15), (-0.95, 1.15), (-0.2, 0.0)]
            }
            Marker::Upright => rectangle(0.5, 1.2),
            Marker::Flat => rectangle(1.2, 0.5),
            Marker::Fork => arms(3, 0.25, 0.4, 1.25),
        }
    }

    /// How much of the area that either marker covers both cover.
    #[cfg(test)]
    pub(crate) fn shared_area(self, other: Marker) -> f64 {
        const STEP: f64 = 0.05;
        let outlines = [self.outline(), other.outline()];
        let (mut both, mut either) = (0.0, 0.0);
        for column in -30..30 {
            for row in -30..30 {
                let point = ((f64::from(column) + 0.5) * STEP, (f64::from(row) + 0.5) * STEP);
                let covered = outlines.each_ref().map(|outline| is_inside(outline, point));
                both += f64::from(u8::from(covered[0] && covered[1]));
                either += f64::from(u8::from(covered[0] || covered[1]));
            }
        }
        both / either
    }
}

/// Whether a ray to the right from the point crosses the outline an odd number of times.
#[cfg(test)]
fn is_inside(outline: &[Point], (x, y): Point) -> bool {
    let next = outline.iter().cycle().skip(1);
    let crosses =
        |((ax, ay), (bx, by)): &(&Point, &Point)| (*ay > y) != (*by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax;
    outline.iter().zip(next).filter(crosses).count() % 2 == 1
}
