//! Looks: the places for which pictures can be drawn. A look says how wide a picture is, how large its type is, and where its
//! files are.

/// A place for which pictures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The report, on a screen.
    Web,
    /// A column of a paper in two columns.
    PaperSingle,
    /// A paper across both of its columns.
    PaperDouble,
    /// A slide of 13.3 in by 7.5 in.
    Slides,
}

/// The width of a picture, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum PictureWidth {
    /// One column of panels has this width. Many panels are in two columns.
    OfColumn(f64),
    /// The whole picture has this width. Several panels share a row of up to `abreast` panels.
    OfPicture { width_mm: f64, abreast: usize },
}

const MM_PER_INCH: f64 = 25.4;
/// The small type of the report in points. Every other length of a figure is chosen for this size of type, so a look with larger
/// type is the report's picture in another width, magnified.
const SMALL_PT: f64 = 7.0;

impl Look {
    /// Every look.
    pub const ALL: [Look; 4] = [Look::Web, Look::PaperSingle, Look::PaperDouble, Look::Slides];

    /// The folder of its pictures in the run directory. The report shows those in `figures`.
    pub fn folder(self) -> &'static str {
        match self {
            Look::Web => "figures",
            Look::PaperSingle => "figures/paper-single",
            Look::PaperDouble => "figures/paper-double",
            Look::Slides => "figures/slides",
        }
    }

    /// The size of the small type, in points: ticks, legends and names of axes. Titles are larger by a seventh.
    fn small_pt(self) -> f64 {
        match self {
            Look::Web => SMALL_PT,
            Look::PaperSingle | Look::PaperDouble => 8.0,
            Look::Slides => 16.0,
        }
    }

    /// Dots per inch of its PNG: what printers ask for, and for slides what screens can show.
    pub(crate) fn dots_per_inch(self) -> f64 {
        match self {
            Look::Web | Look::PaperSingle | Look::PaperDouble => 300.0,
            Look::Slides => 150.0,
        }
    }

    /// By how much everything is larger than in the report.
    pub(crate) fn magnification(self) -> f64 {
        self.small_pt() / SMALL_PT
    }

    /// How tall a picture may be, in millimetres. Panels that have no room are in further pictures. In a paper, a caption has room on
    /// the same page. A slide has room for a heading. The report is scrolled.
    pub(crate) fn tallest_mm(self) -> f64 {
        match self {
            Look::Web => f64::INFINITY,
            Look::PaperSingle | Look::PaperDouble => 5.5 * MM_PER_INCH,
            Look::Slides => 6.5 * MM_PER_INCH,
        }
    }

    pub(crate) fn width(self) -> PictureWidth {
        match self {
            Look::Web => PictureWidth::OfColumn(90.0),
            Look::PaperSingle => PictureWidth::OfPicture { width_mm: 3.3 * MM_PER_INCH, abreast: 1 },
            Look::PaperDouble => PictureWidth::OfPicture { width_mm: 6.9 * MM_PER_INCH, abreast: 2 },
            Look::Slides => PictureWidth::OfPicture { width_mm: 12.3 * MM_PER_INCH, abreast: 2 },
        }
    }
}
