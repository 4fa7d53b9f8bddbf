//! Decoding with sample-exact positions.
//!
//! Symphonia's own trimming is switched off. Each decoded block carries its raw position, and [`Decoder::read`] hands
//! out the frames from the wanted position on: what lies before it is dropped, what is missing is silence. Trimming,
//! seeking, pre-roll and damaged packets are therefore one mechanism.

use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::audio::GenericAudioBufferRef;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder};
use symphonia::core::errors::Error;
use symphonia::core::formats::well_known::FORMAT_ID_OGG;
use symphonia::core::formats::{FormatReader, SeekMode, SeekTo, Track, TrackType};
use symphonia::core::packet::Packet;
use symphonia::core::units::{TimeBase, Timestamp};

use crate::MediaError;
use crate::source::{Budget, guarded, open_codec, open_format};
use crate::trim::{Trim, preroll_frames, trim_of};

/// Sample rates outside of this are header damage, not recordings.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// As many channels as the largest bed of immersive formats; more is header damage.
const MAX_CHANNELS: usize = 32;
/// A timestamp this far from where counting says we are is not believed.
const MAX_GAP_S: i64 = 10;
/// Backward jumps larger than one Vorbis block are not overlaps but broken timestamps.
const MAX_OVERLAP_FRAMES: i64 = 8192;
/// An undecodable packet stands for no more silence than this: the largest block of any codec here (FLAC).
const MAX_PACKET_FRAMES: i64 = 65_536;
/// Undecodable packets in a row before the file is given up.
const MAX_BAD_PACKETS: u32 = 256;
/// Samples beyond +36 dBFS are damage (or NaN); left in, they would poison every filter downstream.
const MAX_SAMPLE: f32 = 64.0;
/// The last page of an Ogg stream has no usable start time after a seek (its end is cut), so seeks start this far before
/// the end at the latest: longer than any page encoders write.
const OGG_TAIL_S: i64 = 10;

/// Decodes an audio file to interleaved `f32`, with positions that are exact to the frame.
pub struct Decoder {
    path: PathBuf,
    file: File,
    budget: Budget,
    reader: Box<dyn FormatReader>,
    codec: Box<dyn AudioDecoder>,
    params: AudioCodecParameters,
    track: Track,
    rate_hz: u32,
    channels: usize,
    /// One tick of the container is one frame, so timestamps are positions.
    ticks_are_frames: bool,
    trim: Trim,
    /// The block decoded last, interleaved, and the raw position of its first frame.
    block: Vec<f32>,
    block_raw: i64,
    /// Raw position right after the last packet, if known.
    after_packet: Option<i64>,
    /// Raw position of the next frame to hand out.
    next_raw: i64,
    bad_packets: u32,
    ended: bool,
}

impl Decoder {
    /// Opens a file and decodes its first packet, so that what comes back is known to be playable.
    ///
    /// # Errors
    /// See [`MediaError`]; none of them leaves anything open.
    pub fn open(path: &Path) -> Result<Decoder, MediaError> {
        let file = File::open(path).map_err(|e| MediaError::io(path, e))?;
        let budget = Budget::default();
        let reader = open_format(path, &file, &budget)?;
        let (track, params) = audio_track(path, reader.as_ref())?;
        let codec = open_codec(path, &params)?;
        let mut decoder = Decoder {
            path: path.into(),
            file,
            budget,
            reader,
            codec,
            params,
            track,
            rate_hz: 0,
            channels: 0,
            ticks_are_frames: true,
            trim: Trim::default(),
            block: Vec::new(),
            block_raw: 0,
            after_packet: None,
            next_raw: 0,
            bad_packets: 0,
            ended: false,
        };
        if !decoder.next_block()? {
            return Err(MediaError::Empty { path: path.into() });
        }
        let Decoder { reader, track, params, ticks_are_frames, file, .. } = &mut decoder;
        decoder.trim = trim_of(reader.as_mut(), track, params, *ticks_are_frames, file);
        decoder.next_raw = decoder.trim.origin;
        Ok(decoder)
    }

    /// Frames per second of what [`read`](Self::read) gives.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Channels as in the file, in the file's order.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Length of the track, where the container states it. A truncated file may end earlier.
    #[must_use]
    pub fn frames(&self) -> Option<u64> {
        self.trim.frames
    }

    /// Number of the frame that the next [`read`](Self::read) starts with.
    #[must_use]
    pub fn position(&self) -> u64 {
        (self.next_raw - self.trim.origin).max(0).unsigned_abs()
    }

    /// What an MPEG or ADTS stream without a count is likely to hold, from its bit rate.
    pub(crate) fn estimated_frames(&self) -> Option<u64> {
        self.track.num_frames
    }

    pub(crate) fn codec_name(&self) -> &'static str {
        self.codec.codec_info().short_name
    }

    pub(crate) fn container(&self) -> &'static str {
        self.reader.format_info().short_name
    }

    /// Fills `out` (interleaved; a length that is a multiple of the channels) and returns the frames written. Fewer
    /// than asked for means that the track ends there; 0 is its end. Samples are finite and within ±64.
    ///
    /// # Errors
    /// [`MediaError::Corrupt`] where nothing further can be decoded. Single damaged packets become silence instead.
    pub fn read(&mut self, out: &mut [f32]) -> Result<usize, MediaError> {
        let wanted = out.len() / self.channels;
        let mut written = 0;
        while written < wanted {
            let room = self.frames_left().min(wanted - written);
            if room == 0 {
                break;
            }
            let target = &mut out[written * self.channels..(written + room) * self.channels];
            let block_end = self.block_raw + (self.block.len() / self.channels) as i64;
            let given = if self.next_raw < self.block_raw && !self.block.is_empty() {
                let gap = usize::try_from(self.block_raw - self.next_raw).unwrap_or(room).min(room);
                target[..gap * self.channels].fill(0.0);
                gap
            } else if self.next_raw < block_end {
                let from = (self.next_raw - self.block_raw).unsigned_abs() as usize * self.channels;
                let n = target.len().min(self.block.len() - from);
                target[..n].copy_from_slice(&self.block[from..from + n]);
                n / self.channels
            } else if self.next_block()? {
                0
            } else {
                break;
            };
            written += given;
            self.next_raw += given as i64;
        }
        Ok(written)
    }

    /// Makes the next [`read`](Self::read) start exactly at `frame`. Past the end it then returns 0.
    ///
    /// # Errors
    /// When the file has become unreadable since it was opened.
    pub fn seek(&mut self, frame: u64) -> Result<(), MediaError> {
        let target = self.trim.origin.saturating_add(i64::try_from(frame).unwrap_or(i64::MAX));
        let soon = self.next_raw.saturating_add(i64::from(self.rate_hz) / 2);
        let near = !self.block.is_empty() && (self.block_raw..=soon).contains(&target);
        let reached = near || (self.ticks_are_frames && self.jump_before(target));
        if !reached {
            self.rewind()?;
        }
        self.next_raw = target;
        Ok(())
    }

    fn frames_left(&self) -> usize {
        match self.trim.frames {
            Some(frames) if self.trim.cut_at_end => {
                usize::try_from(frames.saturating_sub(self.position())).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    /// Asks the container for a packet far enough before `target`; `false` where that does not work out.
    fn jump_before(&mut self, target: i64) -> bool {
        let mut from = target - preroll_frames(self.params.codec);
        if self.reader.format_info().format == FORMAT_ID_OGG {
            let end = self.track.num_frames.and_then(|n| i64::try_from(n).ok()).unwrap_or(i64::MAX);
            from = from.min(end - OGG_TAIL_S * i64::from(self.rate_hz));
        }
        if from <= 0 {
            return false;
        }
        self.budget.refill();
        let to = SeekTo::Timestamp { ts: Timestamp::from(from), track_id: self.track.id };
        if guarded(|| self.reader.seek(SeekMode::Accurate, to)).is_err() {
            return false;
        }
        self.codec.reset();
        self.forget_position();
        matches!(self.next_block(), Ok(true)) && self.block_raw <= target
    }

    /// Starts again from the beginning of the file: slow, but always exact.
    fn rewind(&mut self) -> Result<(), MediaError> {
        self.reader = open_format(&self.path, &self.file, &self.budget)?;
        self.codec = open_codec(&self.path, &self.params)?;
        self.forget_position();
        Ok(())
    }

    fn forget_position(&mut self) {
        self.block.clear();
        self.block_raw = 0;
        self.after_packet = None;
        self.ended = false;
        self.bad_packets = 0;
    }

    /// Decodes the next packet that holds frames into `block`; `false` at the end.
    fn next_block(&mut self) -> Result<bool, MediaError> {
        // Its memory is used again.
        let mut spare = std::mem::take(&mut self.block);
        while let Some(packet) = self.next_packet()? {
            self.budget.refill();
            let spare = std::mem::take(&mut spare);
            match guarded(|| self.codec.decode(&packet).map(|buffer| Block::of(&buffer, spare))) {
                Ok(block) => {
                    self.bad_packets = 0;
                    self.adopt(&packet, block)?;
                    if !self.block.is_empty() {
                        return Ok(true);
                    }
                }
                Err(Error::DecodeError(_) | Error::IoError(_)) if self.bad_packets < MAX_BAD_PACKETS => {
                    self.bad_packets += 1;
                    let frames = i64::try_from(packet.dur.get()).unwrap_or(0).min(MAX_PACKET_FRAMES);
                    self.after_packet = Some(self.position_of(&packet).saturating_add(frames));
                }
                Err(e) => {
                    self.ended = true;
                    return Err(MediaError::from_symphonia(&self.path, e));
                }
            }
        }
        self.ended = true;
        Ok(false)
    }

    fn next_packet(&mut self) -> Result<Option<Packet>, MediaError> {
        while !self.ended {
            self.budget.refill();
            match guarded(|| self.reader.next_packet()) {
                Ok(Some(packet)) if packet.track_id == self.track.id => return Ok(Some(packet)),
                Ok(Some(_)) => {}
                // A second logical stream in the same file is another track: this one ends here.
                Ok(None) | Err(Error::ResetRequired) => break,
                // A file that was cut off plays up to the cut.
                Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
                Err(e) => {
                    self.ended = true;
                    return Err(MediaError::from_symphonia(&self.path, e));
                }
            }
        }
        self.ended = true;
        Ok(None)
    }

    /// Raw position of a packet: its timestamp, unless that contradicts counting beyond belief.
    fn position_of(&self, packet: &Packet) -> i64 {
        let stated = packet.pts.get();
        match self.after_packet {
            _ if !self.ticks_are_frames => self.after_packet.unwrap_or(0),
            None => stated,
            Some(counted) => {
                let gap = stated.saturating_sub(counted);
                let believable = (-MAX_OVERLAP_FRAMES..=MAX_GAP_S * i64::from(self.rate_hz)).contains(&gap);
                if believable { stated } else { counted }
            }
        }
    }

    fn adopt(&mut self, packet: &Packet, mut block: Block) -> Result<(), MediaError> {
        let frames = block.samples.len() / block.channels.max(1);
        if frames == 0 {
            return Ok(());
        }
        if self.rate_hz == 0 {
            self.adopt_spec(packet, &block, frames)?;
        } else if block.rate_hz != self.rate_hz {
            return Err(MediaError::unsupported(&self.path, "its sample rate changes on the way"));
        } else if block.channels != self.channels {
            block.remix(self.channels);
        }
        self.block_raw = self.position_of(packet);
        self.after_packet = Some(self.block_raw.saturating_add(frames as i64));
        self.block = block.samples;
        Ok(())
    }

    /// The first decoded packet tells the truth about rate and channels; headers only claim.
    fn adopt_spec(&mut self, packet: &Packet, block: &Block, frames: usize) -> Result<(), MediaError> {
        if !RATES_HZ.contains(&block.rate_hz) {
            let what = format!("a sample rate of {} Hz", block.rate_hz);
            return Err(MediaError::unsupported(&self.path, what));
        }
        if !(1..=MAX_CHANNELS).contains(&block.channels) {
            return Err(MediaError::unsupported(&self.path, format!("{} channels", block.channels)));
        }
        self.rate_hz = block.rate_hz;
        self.channels = block.channels;
        self.ticks_are_frames = self.track.time_base == TimeBase::try_from_recip(block.rate_hz)
            && packet.dur.get() <= frames as u64;
        Ok(())
    }
}

/// Decoded samples, taken out of the codec's own buffer.
struct Block {
    samples: Vec<f32>,
    rate_hz: u32,
    channels: usize,
}

impl Block {
    /// Fills `samples`, whatever was in it.
    fn of(buffer: &GenericAudioBufferRef<'_>, mut samples: Vec<f32>) -> Block {
        buffer.copy_to_vec_interleaved(&mut samples);
        for sample in &mut samples {
            if sample.is_nan() {
                *sample = 0.0;
            }
            *sample = sample.clamp(-MAX_SAMPLE, MAX_SAMPLE);
        }
        Block { samples, rate_hz: buffer.spec().rate(), channels: buffer.num_planes() }
    }

    /// A stream that changes its channel count keeps the first one: channels are repeated or dropped.
    fn remix(&mut self, channels: usize) {
        let from = self.channels;
        self.samples = self
            .samples
            .chunks_exact(from)
            .flat_map(|frame| (0..channels).map(move |c| frame[c.min(from - 1)]))
            .collect();
        self.channels = channels;
    }
}

fn audio_track(path: &Path, reader: &dyn FormatReader) -> Result<(Track, AudioCodecParameters), MediaError> {
    let track = reader
        .first_track_known_codec(TrackType::Audio)
        .ok_or_else(|| MediaError::unsupported(path, "no audio track in a known format"))?;
    let Some(CodecParameters::Audio(params)) = &track.codec_params else {
        return Err(MediaError::unsupported(path, "its audio track says nothing about its format"));
    };
    let mut params = params.clone();
    if params.codec == CODEC_ID_OPUS {
        // The adapter would skip the pre-roll by itself; that is the business of `Trim` (bytes 10 and 11, RFC 7845).
        if let Some(skip) = params.extra_data.as_mut().and_then(|head| head.get_mut(10..12)) {
            skip.fill(0);
        }
    }
    Ok((track.clone(), params))
}
