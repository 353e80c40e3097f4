//! How large a change must be to be called one.

/// A change that is smaller than these is never called one, however certain it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floors {
    /// The least change of a level of several nights, as a share.
    pub history: f64,
    /// The least change of a single night, as a share.
    pub tonight: f64,
    /// The least change in the unit of the series.
    pub absolute: f64,
}

impl Floors {
    /// 3 % for the level of several nights, 5 % for a single night, and what is too small to matter in the unit: 10 µs, 1 mJ, 64 KiB,
    /// 0.1 W. Other units have no absolute floor, because what matters of a throughput depends on the throughput.
    pub fn of_unit(unit: &str) -> Floors {
        let absolute = match unit {
            "s" => 10e-6,
            "J" => 1e-3,
            "B" => 65_536.0,
            "W" => 0.1,
            _ => 0.0,
        };
        Floors { history: 0.03, tonight: 0.05, absolute }
    }

    /// Whether the change from one level to another, both as logarithms, is at least the share `relative` and the absolute floor. A share
    /// is a ratio in both directions: 5 % is a factor of 1.05 or of 1 / 1.05, so that an improvement counts as much as a regression.
    pub(super) fn passes(&self, relative: f64, before: f64, after: f64) -> bool {
        (after - before).abs() >= relative.ln_1p() && (after.exp() - before.exp()).abs() >= self.absolute
    }
}
