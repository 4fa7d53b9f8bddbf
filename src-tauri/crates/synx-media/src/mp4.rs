//! The edit list of an MP4 file: how many frames of encoder priming come before the music.
//!
//! Symphonia parses edit lists but neither applies nor exposes them. This walks only the boxes on the way to `elst` and
//! believes no size it cannot check against the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Boxes looked at before giving up; real files have a few dozen on this path.
const MAX_BOXES: usize = 4096;

/// What the first real edit of an audio track says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// First frame to present, in units of the track's own time scale.
    pub(crate) media_time: u64,
}

/// Called with a box's kind and the range of its body; what it returns ends the walk.
type Visit<'a, W, T> = &'a mut dyn FnMut(&mut W, [u8; 4], u64, u64) -> io::Result<Option<T>>;

struct Walker<'a> {
    file: &'a File,
    boxes_left: usize,
}

impl Walker<'_> {
    fn bytes<const N: usize>(&mut self, at: u64) -> io::Result<[u8; N]> {
        let mut buf = [0; N];
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(&mut buf)?;
        Ok(buf)
    }

    /// Calls `visit(kind, body_start, body_end)` for each box in the range until it returns something.
    fn each<T>(&mut self, mut at: u64, end: u64, visit: Visit<'_, Self, T>) -> io::Result<Option<T>> {
        while at.saturating_add(8) <= end && self.boxes_left > 0 {
            self.boxes_left -= 1;
            let [a, b, c, d, kind @ ..] = self.bytes::<8>(at)?;
            let (header, size) = match u32::from_be_bytes([a, b, c, d]) {
                0 => (8, end - at),
                1 => (16, u64::from_be_bytes(self.bytes::<8>(at + 8)?)),
                n => (8, u64::from(n)),
            };
            let Some(next) = at.checked_add(size).filter(|n| *n <= end && size >= header) else {
                return Ok(None);
            };
            if let Some(found) = visit(self, kind, at + header, next)? {
                return Ok(Some(found));
            }
            at = next;
        }
        Ok(None)
    }

    fn child(&mut self, start: u64, end: u64, wanted: &[u8; 4]) -> io::Result<Option<(u64, u64)>> {
        self.each(start, end, &mut |_, kind, s, e| Ok((kind == *wanted).then_some((s, e))))
    }

    fn path(&mut self, start: u64, end: u64, names: &[&[u8; 4]]) -> io::Result<Option<(u64, u64)>> {
        let mut range = (start, end);
        for name in names {
            match self.child(range.0, range.1, name)? {
                Some(found) => range = found,
                None => return Ok(None),
            }
        }
        Ok(Some(range))
    }

    fn is_audio(&mut self, trak: (u64, u64)) -> io::Result<bool> {
        match self.path(trak.0, trak.1, &[b"mdia", b"hdlr"])? {
            Some((s, e)) if s + 12 <= e => Ok(&self.bytes::<4>(s + 8)? == b"soun"),
            _ => Ok(false),
        }
    }

    fn edit(&mut self, trak: (u64, u64)) -> io::Result<Option<Edit>> {
        let Some((s, e)) = self.path(trak.0, trak.1, &[b"edts", b"elst"])? else { return Ok(None) };
        let version = self.bytes::<1>(s)?[0];
        let count = u32::from_be_bytes(self.bytes::<4>(s + 4)?).min(16);
        let entry_bytes = if version == 1 { 20 } else { 12 };
        for i in 0..u64::from(count) {
            let at = s + 8 + i * entry_bytes;
            if at + entry_bytes > e {
                break;
            }
            let media_time = if version == 1 {
                i64::from_be_bytes(self.bytes::<8>(at + 8)?)
            } else {
                i64::from(i32::from_be_bytes(self.bytes::<4>(at + 4)?))
            };
            // −1 is an empty edit: silence before the track starts, which a listener of one file does not want.
            if let Ok(media_time) = u64::try_from(media_time) {
                return Ok(Some(Edit { media_time }));
            }
        }
        Ok(None)
    }
}

/// The edit of the first audio track, if the file has one. Leaves the file's position as it was: the demuxer shares it.
pub(crate) fn audio_edit(mut file: &File) -> io::Result<Option<Edit>> {
    let position = file.stream_position()?;
    let edit = find_edit(file);
    file.seek(SeekFrom::Start(position))?;
    edit
}

fn find_edit(file: &File) -> io::Result<Option<Edit>> {
    let len = file.metadata()?.len();
    let mut walker = Walker { file, boxes_left: MAX_BOXES };
    let Some((start, end)) = walker.child(0, len, b"moov")? else { return Ok(None) };
    walker.each(start, end, &mut |walker, kind, s, e| {
        if &kind == b"trak" && walker.is_audio((s, e))? {
            // An audio track without an edit list settles it too: there is nothing to trim.
            return Ok(Some(walker.edit((s, e))?.unwrap_or(Edit { media_time: 0 })));
        }
        Ok(None)
    })
}
