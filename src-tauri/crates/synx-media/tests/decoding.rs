//! What the decoder promises: exact positions whatever the codec, and a clear answer whatever the bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use synx_media::{Decoder, MediaError, probe};

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../assets/demo").join(name)
}

fn write(dir: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A WAV file; `format` 1 is PCM, 3 is float.
fn wav(format: u16, bits: u16, channels: u16, rate_hz: u32, data: &[u8], claimed_bytes: u32) -> Vec<u8> {
    let frame_bytes = channels * bits / 8;
    let mut out = b"RIFF".to_vec();
    out.extend((36u32.wrapping_add(claimed_bytes)).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0");
    out.extend(format.to_le_bytes());
    out.extend(channels.to_le_bytes());
    out.extend(rate_hz.to_le_bytes());
    out.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    out.extend(frame_bytes.to_le_bytes());
    out.extend(bits.to_le_bytes());
    out.extend(b"data");
    out.extend(claimed_bytes.to_le_bytes());
    out.extend(data);
    out
}

/// 16-bit noise that differs in every frame, so that a position error cannot hide.
fn ramp_wav(channels: u16, rate_hz: u32, frames: u32) -> Vec<u8> {
    let data: Vec<u8> = (0..frames * u32::from(channels))
        .flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 16).to_le_bytes()[..2].to_vec())
        .collect();
    wav(1, 16, channels, rate_hz, &data, data.len() as u32)
}

/// The same samples as an AIFF file (big-endian).
fn aiff_from(wav: &[u8], channels: u16) -> Vec<u8> {
    let data: Vec<u8> = wav[44..].chunks_exact(2).flat_map(|s| [s[1], s[0]]).collect();
    let frames = data.len() as u32 / 2 / u32::from(channels);
    let mut out = b"FORM".to_vec();
    out.extend((4 + 26 + 16 + data.len() as u32).to_be_bytes());
    out.extend(b"AIFFCOMM");
    out.extend(18u32.to_be_bytes());
    out.extend(channels.to_be_bytes());
    out.extend(frames.to_be_bytes());
    out.extend(16u16.to_be_bytes());
    // 44100 as an 80-bit float.
    out.extend([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
    out.extend(b"SSND");
    out.extend((8 + data.len() as u32).to_be_bytes());
    out.extend([0; 8]);
    out.extend(data);
    out
}

fn decode_all(decoder: &mut Decoder) -> Result<Vec<f32>, MediaError> {
    let mut all = Vec::new();
    let mut block = vec![0.0; 997 * decoder.channels()];
    loop {
        let frames = decoder.read(&mut block)?;
        if frames == 0 {
            return Ok(all);
        }
        all.extend_from_slice(&block[..frames * decoder.channels()]);
    }
}

/// Seeks here and there, in both directions, and compares with a straight decode, bit by bit.
fn check_seeking(path: &Path) {
    let mut decoder = Decoder::open(path).unwrap();
    let straight = decode_all(&mut decoder).unwrap();
    let channels = decoder.channels();
    let frames = straight.len() / channels;
    assert_eq!(decoder.frames(), Some(frames as u64));
    let mut wanted: Vec<usize> = (0..24).map(|i| (i * 7919 * 4409) % frames).collect();
    wanted.extend([0, 1, frames - 1, frames / 2, frames / 2 + 1, 5]);
    let mut block = vec![0.0; 3000 * channels];
    for frame in wanted {
        decoder.seek(frame as u64).unwrap();
        assert_eq!(decoder.position(), frame as u64);
        let got = decoder.read(&mut block).unwrap();
        assert_eq!(got, 3000.min(frames - frame), "at frame {frame} of {frames}");
        let expected = &straight[frame * channels..(frame + got) * channels];
        assert!(block[..got * channels] == *expected, "other samples after a seek to {frame} in {path:?}");
    }
    decoder.seek(frames as u64 + 10).unwrap();
    assert_eq!(decoder.read(&mut block).unwrap(), 0);
}

#[test]
fn seeking_is_exact_in_wav_and_aiff() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = ramp_wav(2, 44_100, 60_000);
    let wav_path = write(&dir, "a.wav", &bytes);
    let aiff_path = write(&dir, "a.aiff", &aiff_from(&bytes, 2));
    check_seeking(&wav_path);
    check_seeking(&aiff_path);
    let samples = |p: &Path| decode_all(&mut Decoder::open(p).unwrap()).unwrap();
    assert!(samples(&wav_path) == samples(&aiff_path));
}

#[test]
fn seeking_is_exact_in_flac() {
    check_seeking(&demo("paper-lantern.flac"));
}

#[test]
fn seeking_is_exact_in_mp3_because_of_the_pre_roll() {
    check_seeking(&demo("tide-line.mp3"));
}

#[test]
fn encoder_delay_and_padding_are_gone() {
    let mut decoder = Decoder::open(&demo("tide-line.mp3")).unwrap();
    let samples = decode_all(&mut decoder).unwrap();
    // 14 bars of 4 beats at 124 BPM, as the generator counts frames.
    let frames = (14.0f32 * 4.0 * 60.0 / 124.0 * 44_100.0) as i64;
    assert!((samples.len() as i64 / 2 - frames).abs() <= 1);
    // The first kick starts on frame 0: its click must be there within the first milliseconds.
    let loudest = samples[..2 * 200].iter().fold(0f32, |m, s| m.max(s.abs()));
    assert!(loudest > 0.2, "{loudest}");
}

#[test]
fn tags_are_read_and_the_file_name_stands_in() {
    let info = probe(&demo("tide-line.mp3")).unwrap();
    assert_eq!((info.title.as_str(), info.artist.as_deref()), ("Tide Line", Some("SynxSphere")));
    assert_eq!((info.codec.as_str(), info.container.as_str()), ("mp3", "mp3"));
    assert_eq!(info.duration_us / 1000, 27_096);
    let info = probe(&demo("paper-lantern.flac")).unwrap();
    assert_eq!(info.album.as_deref(), Some("Demo tracks"));
    let dir = tempfile::tempdir().unwrap();
    let info = probe(&write(&dir, "My Song.wav", &ramp_wav(1, 8_000, 8_000))).unwrap();
    assert_eq!((info.title.as_str(), info.artist, info.duration_us), ("My Song", None, 1_000_000));
}

#[test]
fn a_wrong_name_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "really-flac.mp3", &std::fs::read(demo("paper-lantern.flac")).unwrap());
    assert_eq!(probe(&path).unwrap().codec, "flac");
}

#[test]
fn unusual_formats_decode_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for (channels, rate_hz) in [(1, 8_000), (2, 192_000), (6, 48_000)] {
        let path = write(&dir, "a.wav", &ramp_wav(channels, rate_hz, 5_000));
        let mut decoder = Decoder::open(&path).unwrap();
        assert_eq!((decoder.channels(), decoder.sample_rate_hz()), (usize::from(channels), rate_hz));
        assert_eq!(decode_all(&mut decoder).unwrap().len(), 5_000 * usize::from(channels));
    }
}

#[test]
fn nothing_but_finite_samples_comes_out() {
    let dir = tempfile::tempdir().unwrap();
    let data: Vec<u8> = [f32::NAN, f32::INFINITY, -1e30, 0.5].iter().flat_map(|s| s.to_le_bytes()).collect();
    let path = write(&dir, "nan.wav", &wav(3, 32, 1, 44_100, &data, 16));
    let samples = decode_all(&mut Decoder::open(&path).unwrap()).unwrap();
    assert_eq!(samples, [0.0, 64.0, -64.0, 0.5]);
}

#[test]
fn what_is_no_audio_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let code = |name: &str, bytes: &[u8]| Decoder::open(&write(&dir, name, bytes)).err().unwrap().code();
    assert_eq!(code("empty.mp3", b""), "media_not_audio");
    assert_eq!(
        code("text.wav", b"this is not audio at all, only a text that is long enough"),
        "media_not_audio"
    );
    assert_eq!(code("no-frames.wav", &wav(1, 16, 2, 44_100, &[], 0)), "media_empty");
    assert_eq!(Decoder::open(&dir.path().join("absent.flac")).err().unwrap().code(), "media_io");
    assert_eq!(Decoder::open(dir.path()).err().unwrap().code(), "media_io");
}

#[test]
fn a_header_that_promises_gigabytes_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "liar.wav", &wav(1, 16, 2, 44_100, &[1; 4_000], u32::MAX - 100));
    let samples = decode_all(&mut Decoder::open(&path).unwrap()).unwrap();
    assert_eq!(samples.len(), 2_000);
}

#[test]
fn a_truncated_file_plays_up_to_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["paper-lantern.flac", "tide-line.mp3"] {
        let whole = decode_all(&mut Decoder::open(&demo(name)).unwrap()).unwrap();
        let bytes = std::fs::read(demo(name)).unwrap();
        let path = write(&dir, name, &bytes[..bytes.len() / 2]);
        let part = decode_all(&mut Decoder::open(&path).unwrap()).unwrap();
        assert!(part.len() > whole.len() / 3 && part.len() < whole.len() * 2 / 3, "{name}");
        // The last packet may be damaged by the cut; before it nothing differs.
        let safe = part.len() - 20_000;
        assert!(part[..safe] == whole[..safe], "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Any damage ends in samples or in an error: never in a panic, and never in more audio than the bytes can hold.
    #[test]
    fn damage_is_survived(
        flac in any::<bool>(),
        hits in prop::collection::vec((0usize..60_000, any::<u8>()), 1..60),
        cut in 100usize..60_000,
    ) {
        let name = if flac { "paper-lantern.flac" } else { "tide-line.mp3" };
        let mut bytes = std::fs::read(demo(name)).unwrap();
        bytes.truncate(cut);
        for (at, value) in hits {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = write(&dir, name, &bytes);
        if let Ok(mut decoder) = Decoder::open(&path) {
            let mut block = vec![0.0; 4096 * decoder.channels()];
            let mut frames = 0;
            while let Ok(n) = decoder.read(&mut block) {
                frames += n;
                if n == 0 {
                    break;
                }
                prop_assert!(frames < 50_000_000, "endless");
            }
            let _ = decoder.seek(1_000);
            let _ = decoder.read(&mut block);
        }
    }
}

fn decoded(path: &Path) -> Result<Vec<f32>, MediaError> {
    let mut decoder = Decoder::open(path)?;
    let mut samples = Vec::new();
    let mut chunk = vec![0.0; 4096 * decoder.channels()];
    loop {
        match decoder.read(&mut chunk)? {
            0 => return Ok(samples),
            frames => samples.extend_from_slice(&chunk[..frames * decoder.channels()]),
        }
    }
}

#[test]
fn a_file_that_is_still_coming_decodes_to_the_beginning_of_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let wav_bytes = ramp_wav(2, 44_100, 40_000);
    let files = [
        ("a.wav", wav_bytes),
        ("a.flac", std::fs::read(demo("paper-lantern.flac")).unwrap()),
        ("a.mp3", std::fs::read(demo("tide-line.mp3")).unwrap()),
    ];
    for (name, bytes) in files {
        let whole = decoded(&write(&dir, name, &bytes)).unwrap();
        for part in 1..8 {
            // Odd lengths, so that cuts fall inside of packets.
            let got = decoded(&write(&dir, name, &bytes[..bytes.len() * part / 8 + part])).unwrap();
            assert!(got == whole[..got.len()], "{name}: {part} of 8");
            assert!(got.len() > whole.len() * (part - 1) / 8, "{name}: {part} of 8");
        }
    }
}
