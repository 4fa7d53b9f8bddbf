//! Opening a container safely: which formats are accepted, a watchdog on reads, and a wall against panics.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::common::Limit;
use symphonia::core::errors::{Error, Result as SymphoniaResult};
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{formats, meta};

use crate::MediaError;

/// Bytes that may be read in one call before the file is declared hostile, on top of four times its own length. Some
/// containers legitimately scan the whole file to seek; none reads it five times.
const READ_BUDGET_BYTES: u64 = 64 << 20;
/// Charged for every read or seek, however small, so that a loop at the end of the file runs out as well.
const CALL_COST_BYTES: u64 = 1024;
/// Enough for a long lyrics tag, too little to hurt.
const MAX_TAG_BYTES: usize = 256 << 10;
/// Cover art is not used here, yet the ID3 reader must be able to step over it.
const MAX_VISUAL_BYTES: usize = 16 << 20;

/// Matroska is left out on purpose: not asked for, and its reader has a record of hangs on hostile files.
static FORMATS: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new();
    probe.register_format::<formats::MpaReader<'_>>();
    probe.register_format::<formats::AdtsReader<'_>>();
    probe.register_format::<formats::IsoMp4Reader<'_>>();
    probe.register_format::<formats::FlacReader<'_>>();
    probe.register_format::<formats::OggReader<'_>>();
    probe.register_format::<formats::WavReader<'_>>();
    probe.register_format::<formats::AiffReader<'_>>();
    probe.register_format::<formats::CafReader<'_>>();
    probe.register_metadata::<meta::Id3v1Reader<'_>>();
    probe.register_metadata::<meta::Id3v2Reader<'_>>();
    probe
});

static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    let mut codecs = CodecRegistry::new();
    symphonia::default::register_enabled_codecs(&mut codecs);
    codecs.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
    codecs
});

/// Counts what is read; shared between the file (which spends) and the decoder (which refills before each call).
#[derive(Clone, Default)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    pub(crate) fn refill(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn spend(&self, bytes: u64, file_len: u64) -> io::Result<()> {
        let spent = self.0.fetch_add(bytes + CALL_COST_BYTES, Ordering::Relaxed);
        if spent > file_len.saturating_mul(4).saturating_add(READ_BUDGET_BYTES) {
            return Err(io::Error::other("reads the same data again and again without getting anywhere"));
        }
        Ok(())
    }
}

struct WatchedFile {
    file: File,
    len: u64,
    budget: Budget,
}

impl Read for WatchedFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buf)?;
        self.budget.spend(n as u64, self.len)?;
        Ok(n)
    }
}

impl Seek for WatchedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.budget.spend(0, self.len)?;
        self.file.seek(to)
    }
}

impl MediaSource for WatchedFile {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}

/// Runs a call into a third-party parser and turns a panic into an error. The parser must not be used afterwards.
pub(crate) fn guarded<T>(call: impl FnOnce() -> SymphoniaResult<T>) -> SymphoniaResult<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::DecodeError("the decoder gave up on it")))
}

/// Finds the container of `file` by its content. The name is only a hint.
pub(crate) fn open_format(
    path: &Path,
    file: &File,
    budget: &Budget,
) -> Result<Box<dyn FormatReader>, MediaError> {
    let mut file = file.try_clone().map_err(|e| MediaError::io(path, e))?;
    file.seek(SeekFrom::Start(0)).map_err(|e| MediaError::io(path, e))?;
    let mut signature = [0; 12];
    // A shorter file has no signature.
    let _ = file.read_exact(&mut signature);
    file.seek(SeekFrom::Start(0)).map_err(|e| MediaError::io(path, e))?;
    let len = file.metadata().map_err(|e| MediaError::io(path, e))?.len();
    let source = WatchedFile { file, len, budget: budget.clone() };
    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
        hint.with_extension(extension);
    }
    let meta = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
        .limit_visual_bytes(Limit::Maximum(MAX_VISUAL_BYTES));
    budget.refill();
    guarded(|| {
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        FORMATS.probe(&hint, stream, FormatOptions::default(), meta)
    })
    .map_err(|e| match e {
        // What the prober says when it has seen everything and recognised nothing.
        Error::Unsupported(_) if claims_to_be_audio(&signature) => {
            MediaError::corrupt(path, "what its first bytes promise does not follow")
        }
        Error::Unsupported(_) => MediaError::NotAudio { path: path.into() },
        Error::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof && !claims_to_be_audio(&signature) => {
            MediaError::NotAudio { path: path.into() }
        }
        other => MediaError::from_symphonia(path, other),
    })
}

/// Whether the first bytes are those of a container that has them: such a file that ends too early is damaged.
fn claims_to_be_audio(signature: &[u8; 12]) -> bool {
    match &signature[..4] {
        b"fLaC" | b"OggS" | b"caff" => true,
        b"RIFF" => &signature[8..] == b"WAVE",
        b"FORM" => matches!(&signature[8..], b"AIFF" | b"AIFC"),
        // Pictures and other things come in this container as well: these brands hold sound.
        _ => {
            let brands = [b"M4A ", b"M4B ", b"isom", b"iso2", b"iso5", b"iso6", b"mp41", b"mp42", b"qt  "];
            &signature[4..8] == b"ftyp" && brands.iter().any(|brand| &signature[8..] == *brand)
        }
    }
}

/// Makes a decoder that trims nothing: positions are the business of [`crate::Decoder`] alone.
pub(crate) fn open_codec(
    path: &Path,
    params: &AudioCodecParameters,
) -> Result<Box<dyn AudioDecoder>, MediaError> {
    let options = AudioDecoderOptions::default().gapless(false);
    guarded(|| CODECS.make_audio_decoder(params, &options)).map_err(|e| MediaError::from_symphonia(path, e))
}
