//! Archives that are broken or mean harm.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::toys::{
    ALPHA_SHA256, Bench, GOOD, TAR, Toy, ZIP, server_of, tarred, tarred_link, tarred_long_name, zipped, zipped_link,
};

/// The message for an archive, after which nothing is left.
fn refusal(toy: &Toy, name: &'static str, archive: Vec<u8>) -> String {
    let server = server_of(name, archive);
    let mut bench = Bench::new();
    let message = bench.refusal(toy, Some(&server.url));
    bench.assert_empty();
    assert!(message.contains(&format!("{}/toys/{name}", server.url)), "{message}");
    message
}

fn refuse_zip(members: &[(&str, &[u8])]) -> String {
    refusal(&ZIP, "Blocks.zip", zipped(members))
}

fn refuse_tar(members: &[(&str, &[u8])]) -> String {
    refusal(&TAR, "Blocks.tar.gz", tarred(members))
}

#[test]
fn a_wrong_file_is_refused_with_both_checksums() {
    for message in [
        refuse_zip(&[("Blocks/alpha.txt", b"Alpha\n"), GOOD[1]]),
        refuse_tar(&[("Blocks/alpha.txt", b"Alpha\n"), GOOD[1]]),
    ] {
        let found = "90c877f65b3141d28d51619fd2bbc862c49c48be4fab42386062f532e27e4fd6";
        assert!(message.starts_with("alpha.txt from http://"), "{message}");
        assert!(message.contains(&format!("expected 6 bytes with sha256 {ALPHA_SHA256}")), "{message}");
        assert!(message.contains(&format!("found 6 bytes with sha256 {found}")), "{message}");
    }
    let message = refuse_zip(&[GOOD[0], ("Blocks/beta.txt", b"Beta\n")]);
    assert!(message.contains("with md5 f0cf2a92516045024a0c99147b28f05b"), "{message}");
    assert!(message.contains("found 5 bytes with md5"), "{message}");
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let (zip, tar) = (zipped(&GOOD), tarred(&GOOD));
    for cut in (1..zip.len()).step_by(37) {
        assert!(refusal(&ZIP, "Blocks.zip", zip[..cut].to_vec()).contains("not a whole zip archive"), "cut at {cut}");
    }
    for cut in (1..tar.len() - 30).step_by(23) {
        let message = refusal(&TAR, "Blocks.tar.gz", tar[..cut].to_vec());
        assert!(
            message.contains("not a whole gzipped tar archive") || message.contains("is broken in it"),
            "{message}"
        );
    }
}

#[test]
fn an_archive_with_a_flipped_byte_never_gives_a_wrong_file() {
    let whole = zipped(&GOOD);
    for at in (0..whole.len()).step_by(11) {
        let mut broken = whole.clone();
        broken[at] ^= 0x55;
        let server = server_of("Blocks.zip", broken);
        let mut bench = Bench::new();
        match bench.fetch(&ZIP, Some(&server.url)) {
            // Times and attributes of members are not read.
            Ok(_) => bench.assert_whole(),
            Err(_) => bench.assert_empty(),
        }
    }
}

#[test]
fn a_member_that_leads_out_is_refused_whatever_its_place() {
    for evil in ["../evil.txt", "Blocks/../../evil.txt", "/evil.txt", "..\\evil.txt", "C:\\evil.txt", "c:evil.txt"] {
        let member = (evil, b"evil".as_slice());
        for members in [[member, GOOD[0], GOOD[1]], [GOOD[0], GOOD[1], member]] {
            assert!(refuse_zip(&members).contains("leads out of the archive"), "{evil}");
            assert!(refuse_tar(&members).contains("leads out of the archive"), "{evil}");
        }
    }
}

#[test]
fn a_link_is_refused() {
    let message = refusal(&ZIP, "Blocks.zip", zipped_link());
    assert!(message.contains(r#"its member "Blocks/alpha.txt" is a link"#), "{message}");
    for kind in [tar::EntryType::Symlink, tar::EntryType::Link] {
        let message = refusal(&TAR, "Blocks.tar.gz", tarred_link(kind));
        assert!(message.contains(r#"its member "Blocks/alpha.txt" is a link"#), "{message}");
    }
}

#[test]
fn a_size_bomb_is_refused_at_the_size_that_the_file_should_have() {
    let bomb = vec![0; 50_000_000];
    for message in
        [refuse_zip(&[("Blocks/alpha.txt", &bomb), GOOD[1]]), refuse_tar(&[("Blocks/alpha.txt", &bomb), GOOD[1]])]
    {
        assert!(message.contains("Blocks/alpha.txt has more than the 6 bytes that it should have"), "{message}");
    }
}

#[test]
fn a_bomb_in_a_member_that_nobody_wants_is_not_unpacked_without_end() {
    let bomb = vec![0; 80 << 20];
    assert!(refuse_tar(&[("Blocks/readme.txt", &bomb), GOOD[0], GOOD[1]]).contains("not a whole"));
}

#[test]
fn a_missing_member_is_named() {
    assert!(refuse_zip(&GOOD[..1]).contains("it has no member Blocks/beta.txt"));
    assert!(refuse_tar(&GOOD[..1]).contains("it has no member Blocks/beta.txt"));
    assert!(refuse_zip(&[]).contains("it has no member Blocks/alpha.txt, Blocks/beta.txt"));
}

#[test]
fn a_member_that_is_there_twice_is_refused() {
    assert!(refuse_tar(&[GOOD[0], GOOD[0], GOOD[1]]).contains(r#"it has two members "Blocks/alpha.txt""#));
}

#[test]
fn members_that_nobody_wants_are_passed_over() {
    let members = [GOOD[0], ("Blocks/._alpha.txt", b"junk".as_slice()), ("__MACOSX/x", b"junk"), GOOD[1]];
    for (toy, name, archive) in [(ZIP, "Blocks.zip", zipped(&members)), (TAR, "Blocks.tar.gz", tarred(&members))] {
        let mut bench = Bench::new();
        bench.fetch(&toy, Some(&server_of(name, archive).url)).unwrap();
        bench.assert_whole();
    }
}

#[test]
fn a_long_name_before_a_member_is_passed_over_and_not_read_into_memory() {
    let mut bench = Bench::new();
    let archive = tarred_long_name(&vec![b'x'; 1 << 20], &GOOD);
    bench.fetch(&TAR, Some(&server_of("Blocks.tar.gz", archive).url)).unwrap();
    bench.assert_whole();
}

#[test]
fn a_tar_archive_that_was_compressed_in_pieces_is_taken() {
    let mut tar = Vec::new();
    GzDecoder::new(tarred(&GOOD).as_slice()).read_to_end(&mut tar).unwrap();
    let pieces = tar.chunks(700).flat_map(|piece| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(piece).unwrap();
        encoder.finish().unwrap()
    });
    let mut bench = Bench::new();
    bench.fetch(&TAR, Some(&server_of("Blocks.tar.gz", pieces.collect()).url)).unwrap();
    bench.assert_whole();
}
