//! Every fault of the registers that docs/energy.md names, on a made-up /sys/class/powercap.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;

use tempfile::TempDir;

use super::*;

const RANGE_UJ: u64 = 262_143_328_850;

/// A folder of registers that advance whenever somebody waits.
struct Powercap {
    root: TempDir,
    milliseconds: Cell<u64>,
}

impl Powercap {
    fn new() -> Powercap {
        Powercap { root: tempfile::tempdir().unwrap(), milliseconds: Cell::new(0) }
    }

    fn domain(&self, folder: &str, name: &str, energy_uj: u64) {
        let path = self.root.path().join(folder);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("name"), format!("{name}\n")).unwrap();
        fs::write(path.join("max_energy_range_uj"), format!("{RANGE_UJ}\n")).unwrap();
        self.set(folder, energy_uj);
    }

    fn set(&self, folder: &str, energy_uj: u64) {
        fs::write(self.root.path().join(folder).join("energy_uj"), format!("{energy_uj}\n")).unwrap();
    }

    fn advance(&self, folder: &str, by_uj: u64) {
        let path = self.root.path().join(folder).join("energy_uj");
        let now_uj = read_u64(&path).unwrap() + by_uj;
        fs::write(path, format!("{now_uj}\n")).unwrap();
    }

    fn wait(&self, milliseconds: u64) -> Duration {
        self.milliseconds.set(self.milliseconds.get() + milliseconds);
        self.now()
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.milliseconds.get())
    }

    /// Opens the registers. Those in `moving` advance by 50 mJ at each pause.
    fn open(&self, moving: &[&str]) -> Result<Rapl, Unavailable> {
        Rapl::open("rapl", self.root.path(), &|| self.now(), &mut || {
            self.wait(5);
            moving.iter().for_each(|folder| self.advance(folder, 50_000));
        })
    }
}

fn lost(read: Result<f64, Fault>) -> String {
    match read.unwrap_err() {
        Fault::Lost(why) => why,
        Fault::Unreadable(why) => panic!("only unreadable: {why}"),
    }
}

#[test]
fn the_packages_of_several_sockets_and_their_memory_are_summed() {
    let powercap = Powercap::new();
    let folders = ["intel-rapl:0", "intel-rapl:1", "intel-rapl:0:2", "intel-rapl:1:2"];
    powercap.domain(folders[0], "package-0", 100);
    powercap.domain(folders[1], "package-1", 77_000_000);
    powercap.domain(folders[2], "dram", 10);
    powercap.domain(folders[3], "dram", 99_000_000);
    powercap.domain("intel-rapl:0:0", "core", 5);
    powercap.domain("intel-rapl:0:1", "uncore", 5);
    let mut rapl = powercap.open(&folders).unwrap();
    assert_eq!(rapl.how(), "package-0 + dram + package-1 + dram");
    for (folder, by_uj) in folders.into_iter().zip([400_000, 300_000, 20_000, 10_000]) {
        powercap.advance(folder, by_uj);
    }
    powercap.advance("intel-rapl:0:0", 900_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.73);
}

#[test]
fn dies_that_mirror_one_register_are_counted_once() {
    // Threadripper 1950X: two folders of dies, and the same register in both.
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0-die-0", 5_000_000);
    powercap.domain("intel-rapl:1", "package-0-die-1", 5_000_000);
    let mirror = powercap.root.path().join("intel-rapl:1/energy_uj");
    fs::remove_file(&mirror).unwrap();
    fs::hard_link(powercap.root.path().join("intel-rapl:0/energy_uj"), mirror).unwrap();
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    assert_eq!(rapl.how(), "package-0-die-0, without package-0-die-1 (it shows the register of package-0-die-0)");
    powercap.advance("intel-rapl:0", 680_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.68);
}

#[test]
fn dies_with_registers_of_their_own_are_summed_even_if_they_once_show_the_same_number() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0-die-0", 5_000_000);
    powercap.domain("intel-rapl:1", "package-0-die-1", 5_000_000);
    let mut rapl = Rapl::open("rapl", powercap.root.path(), &|| powercap.now(), &mut || {
        powercap.advance("intel-rapl:0", 50_000);
        powercap.advance("intel-rapl:1", 60_000);
    })
    .unwrap();
    powercap.advance("intel-rapl:0", 1_000_000);
    powercap.advance("intel-rapl:1", 2_000_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 3.0);
}

#[test]
fn a_package_that_two_drivers_show_is_counted_once() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl-mmio:0", "package-0", 100);
    powercap.domain("intel-rapl:0", "package-0", 200);
    let mut rapl = powercap.open(&["intel-rapl:0", "intel-rapl-mmio:0"]).unwrap();
    assert_eq!(rapl.how(), "package-0, without intel-rapl-mmio (it shows the packages of intel-rapl again)");
    powercap.advance("intel-rapl:0", 400_000);
    powercap.advance("intel-rapl-mmio:0", 400_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.4);
}

#[test]
fn a_package_that_only_the_second_driver_shows_is_counted() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl-mmio:0", "package-0", 100);
    assert_eq!(powercap.open(&["intel-rapl-mmio:0"]).unwrap().how(), "package-0");
}

#[test]
fn the_board_contains_the_packages_and_is_not_added_to_them() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 100);
    powercap.domain("intel-rapl:1", "psys", 100);
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    assert_eq!(rapl.how(), "package-0, without psys (it contains the packages)");
    powercap.advance("intel-rapl:0", 400_000);
    powercap.advance("intel-rapl:1", 900_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.4);
    let only = Powercap::new();
    only.domain("intel-rapl:1", "psys", 100);
    assert!(only.open(&[]).unwrap_err().why.ends_with("lists no processor package, only the whole board (psys)"));
}

#[test]
fn a_register_whose_maximum_is_not_readable_counts_until_it_wraps() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 500_000);
    fs::remove_file(powercap.root.path().join("intel-rapl:0/max_energy_range_uj")).unwrap();
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    powercap.advance("intel-rapl:0", 400_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.4);
    powercap.set("intel-rapl:0", 7);
    let why = lost(rapl.read_j(powercap.wait(10)));
    assert!(why.starts_with("the register of package-0: it went from 950000 to 7 µJ"), "{why}");
    assert!(why.ends_with("its maximum is not readable, so that a wrap cannot be corrected"), "{why}");
}

#[test]
fn a_register_that_is_reset_gives_no_negative_joules() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 250_769_000_000);
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    powercap.set("intel-rapl:0", 0);
    assert!(lost(rapl.read_j(powercap.wait(10))).ends_with("which is no wrap: it was reset"));
    powercap.set("intel-rapl:0", 2_000_000);
    let before = rapl.read_j(powercap.wait(10)).unwrap();
    powercap.set("intel-rapl:0", 5_000_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap() - before, 3.0);
}

#[test]
fn a_wrap_is_corrected() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", RANGE_UJ - 1_050_000);
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    powercap.set("intel-rapl:0", 500_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 1.5);
}

#[test]
fn several_wraps_of_several_sockets_are_corrected_each_by_itself() {
    let powercap = Powercap::new();
    let folders = ["intel-rapl:0", "intel-rapl:1"];
    powercap.domain(folders[0], "package-0", RANGE_UJ - 700_000_000);
    powercap.domain(folders[1], "package-1", 5_000_000);
    let mut rapl = powercap.open(&folders).unwrap();
    let (first_j, mut spent_j) = (rapl.read_j(powercap.wait(1)).unwrap(), 0.0);
    // 800 W and 500 W for twenty minutes: three turns of the one, two of the other.
    for _ in 0..1_200 {
        for (folder, by_uj) in folders.into_iter().zip([800_000_000, 500_000_000]) {
            let shown_uj = read_u64(&powercap.root.path().join(folder).join("energy_uj")).unwrap();
            powercap.set(folder, (shown_uj + by_uj) % RANGE_UJ);
        }
        spent_j += 1_300.0;
        assert!((rapl.read_j(powercap.wait(1_000)).unwrap() - first_j - spent_j).abs() < 1e-6);
    }
}

#[test]
fn a_register_that_does_not_move_is_no_meter() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 0);
    assert_eq!(
        powercap.open(&[]).unwrap_err().why,
        "the register of package-0 stays at 0 µJ for 100 ms, so that it measures nothing (KVM shows registers to its guests that stay \
         at 0)"
    );
    powercap.set("intel-rapl:0", 4_711);
    assert!(powercap.open(&[]).unwrap_err().why.contains("stays at 4711 µJ"));
}

#[test]
fn memory_whose_register_does_not_move_is_left_out_and_named() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 100);
    powercap.domain("intel-rapl:0:2", "dram", 0);
    assert_eq!(powercap.open(&["intel-rapl:0"]).unwrap().how(), "package-0, without dram (it stays at 0 µJ)");
}

#[test]
fn a_register_for_the_administrator_alone_comes_with_what_to_do() {
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    let powercap = Path::new("/sys/class/powercap");
    let Unavailable { why, remedy } = unreadable(powercap, &powercap.join("intel-rapl:0/energy_uj"), &denied);
    assert_eq!(why, "RAPL is not readable: only the administrator can read /sys/class/powercap/intel-rapl:0/energy_uj");
    insta::assert_snapshot!(remedy.join("\n"), @r#"
    until the next boot: sudo sh -c 'chmod a+r /sys/class/powercap/*/energy_uj'
    for good: echo 'SUBSYSTEM=="powercap", ACTION=="add", KERNEL=="intel-rapl*:*", RUN+="/bin/chmod a+r %S%p/energy_uj"' | sudo tee /etc/udev/rules.d/70-rapl.rules && sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=powercap --action=add
    "#);
}

#[test]
fn a_register_that_vanishes_is_unreadable_and_counts_on_when_it_is_back() {
    let powercap = Powercap::new();
    powercap.domain("intel-rapl:0", "package-0", 100);
    let mut rapl = powercap.open(&["intel-rapl:0"]).unwrap();
    let file = powercap.root.path().join("intel-rapl:0/energy_uj");
    let away = powercap.root.path().join("away");
    fs::rename(&file, &away).unwrap();
    let Err(Fault::Unreadable(why)) = rapl.read_j(powercap.wait(10)) else { panic!("it is not there") };
    assert!(why.contains("energy_uj: No such file"), "{why}");
    fs::rename(&away, &file).unwrap();
    powercap.advance("intel-rapl:0", 300_000);
    assert_eq!(rapl.read_j(powercap.wait(10)).unwrap(), 0.3);
}

#[test]
fn absent_hardware_is_a_reason_and_never_a_zero() {
    let powercap = Powercap::new();
    let why = |unavailable: Result<Rapl, Unavailable>| unavailable.unwrap_err().why;
    let nowhere = Rapl::open("rapl", &powercap.root.path().join("none"), &|| Duration::ZERO, &mut || {});
    assert!(why(nowhere).contains("does not exist"));
    assert!(why(powercap.open(&[])).contains("no processor package"));
    powercap.domain("intel-rapl:0", "package-0", 1);
    fs::write(powercap.root.path().join("intel-rapl:0/energy_uj"), "not a number").unwrap();
    assert!(why(powercap.open(&[])).contains("energy_uj: 'not a number'"));
}
