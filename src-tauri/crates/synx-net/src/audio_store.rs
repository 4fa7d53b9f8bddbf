//! Audio by content hash: `ab/abcd….bin`, partial files beside it as `.part`.
//!
//! Must never give out a file as complete whose bytes were not verified against its hash, nor use a name from outside as
//! a path.

use crate::{NetError, WriteGate};
use bytes::Bytes;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use synx_domain::{ContentHash, RoomId};
use tokio::task::{JoinHandle, spawn_blocking};

const READ_BYTES: usize = 256 * 1024;

/// A folder of verified audio. Cheap to clone. Its methods block: call them where that does no harm.
#[derive(Debug, Clone)]
pub struct AudioStore {
    root: Arc<Path>,
    /// Whose partial files are meant.
    room: Option<RoomId>,
    gate: WriteGate,
}

/// A partial file that is written to, on a thread that may block for it.
#[derive(Debug)]
pub struct PartialFile {
    file: Arc<File>,
    path: PathBuf,
    gate: WriteGate,
    /// What was begun and is not known to have gone well.
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl PartialFile {
    /// Writes on behind what is there. Returns when all before it is written; [`PartialFile::flush`] waits for this as well.
    ///
    /// # Errors
    /// When what was before it could not be written.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), NetError> {
        self.flush().await?;
        let (file, gate) = (Arc::clone(&self.file), self.gate.clone());
        self.writing = Some(spawn_blocking(move || {
            let _writing = gate.enter()?;
            (&*file).write_all(&bytes)
        }));
        Ok(())
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// When it could not be, or the folder has been let go.
    pub async fn flush(&mut self) -> Result<(), NetError> {
        let Some(writing) = self.writing.take() else { return Ok(()) };
        writing.await.map_err(io::Error::other).flatten().map_err(NetError::file("write", &self.path))
    }

    /// Drops what is in it.
    pub(crate) async fn clear(&mut self) -> Result<(), NetError> {
        self.flush().await?;
        let cleared = self.gate.enter().and_then(|_writing| self.file.set_len(0));
        cleared.map_err(NetError::file("write", &self.path))
    }
}

impl AudioStore {
    /// Opens the folder; makes it if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> Result<Self, NetError> {
        fs::create_dir_all(root).map_err(NetError::file("make", root))?;
        Ok(Self { root: root.into(), room: None, gate: WriteGate::default() })
    }

    /// The same store in a folder that may be let go of.
    #[must_use]
    pub fn behind(self, gate: &WriteGate) -> Self {
        Self { gate: gate.clone(), ..self }
    }

    /// The same store with partial files of their own for a room: what one room has got of a file helps nobody in another
    /// to pretend that they have the rest.
    #[must_use]
    pub fn of_room(&self, room: RoomId) -> Self {
        Self { room: Some(room), ..self.clone() }
    }

    /// Where the audio is, if it is here complete.
    pub fn path(&self, hash: ContentHash) -> Option<PathBuf> {
        Some(self.place(hash, "bin")).filter(|path| path.is_file())
    }

    /// Bytes that are here of audio that is not complete yet.
    pub fn partial_bytes(&self, hash: ContentHash) -> u64 {
        fs::metadata(self.part(hash)).map_or(0, |meta| meta.len())
    }

    /// Where the bytes are that have come of audio that is not complete yet, if any have.
    pub fn partial_path(&self, hash: ContentHash) -> Option<PathBuf> {
        Some(self.part(hash)).filter(|_| self.partial_bytes(hash) > 0)
    }

    /// Opens the partial file to write at `offset`; what lay behind is dropped.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn partial(&self, hash: ContentHash, offset: u64) -> Result<File, NetError> {
        let path = self.part(hash);
        let opened = || -> io::Result<File> {
            let _writing = self.gate.enter()?;
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            file.set_len(offset)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        opened().map_err(NetError::file("write", &path))
    }

    /// The same, to be written to by a task.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, hash: ContentHash, offset: u64) -> Result<PartialFile, NetError> {
        let file = Arc::new(self.partial(hash, offset)?);
        Ok(PartialFile { file, path: self.part(hash), gate: self.gate.clone(), writing: None })
    }

    /// Makes the partial file the audio if its bytes match; else removes it.
    ///
    /// # Errors
    /// [`NetError::HashMismatch`], or when the file cannot be read or moved.
    pub fn commit(&self, hash: ContentHash) -> Result<PathBuf, NetError> {
        let (part, done) = (self.part(hash), self.place(hash, "bin"));
        let file = File::open(&part).map_err(NetError::file("read", &part))?;
        file.sync_all().map_err(NetError::file("write", &part))?;
        let is_it = hash_of(file).map_err(NetError::file("read", &part))? == hash;
        let _writing = self.gate.enter().map_err(NetError::file("write", &done))?;
        if !is_it {
            fs::remove_file(&part).map_err(NetError::file("remove", &part))?;
            return Err(NetError::HashMismatch);
        }
        fs::rename(&part, &done).map_err(NetError::file("write", &done))?;
        sync_folder(&done).map_err(NetError::file("write", &done))?;
        Ok(done)
    }

    /// Takes a copy of a file of this machine.
    ///
    /// # Errors
    /// [`NetError::HashMismatch`] if the file has changed since it was hashed, or when it cannot be read or written.
    pub fn import(&self, file: &Path, hash: ContentHash) -> Result<PathBuf, NetError> {
        if let Some(path) = self.path(hash) {
            return Ok(path);
        }
        let mut from = File::open(file).map_err(NetError::file("read", file))?;
        let mut to = self.partial(hash, 0)?;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = from.read(&mut buffer).map_err(NetError::file("read", file))?;
            if read == 0 {
                return self.commit(hash);
            }
            let written = self.gate.enter().and_then(|_writing| to.write_all(&buffer[..read]));
            written.map_err(NetError::file("write", &self.part(hash)))?;
        }
    }

    /// Forgets audio that turned out to be none, with what is here of it.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn discard(&self, hash: ContentHash) -> Result<(), NetError> {
        remove(&self.gate, &self.place(hash, "bin"))?;
        self.discard_partial(hash)
    }

    /// Forgets what has come of audio that is not complete.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn discard_partial(&self, hash: ContentHash) -> Result<(), NetError> {
        remove(&self.gate, &self.part(hash))
    }

    /// When a partial file was last written, if there is one.
    pub fn partial_written(&self, hash: ContentHash) -> Option<SystemTime> {
        fs::metadata(self.part(hash)).and_then(|meta| meta.modified()).ok()
    }

    /// Removes the partial files, of whatever room, that nobody has written to for so long; how many they were.
    ///
    /// # Errors
    /// When the folder cannot be read or a file not be removed.
    pub fn remove_stale_parts(&self, unwritten_for: Duration) -> Result<usize, NetError> {
        let mut removed = 0;
        for folder in fs::read_dir(&self.root).map_err(NetError::file("read", &self.root))?.flatten() {
            // Nothing but folders belongs here.
            let Ok(files) = fs::read_dir(folder.path()) else { continue };
            for file in files.flatten() {
                let path = file.path();
                let written = file.metadata().and_then(|meta| meta.modified());
                let is_old = written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > unwritten_for));
                if is_old && path.extension().is_some_and(|extension| extension == "part") {
                    let removing = self.gate.enter().and_then(|_writing| fs::remove_file(&path));
                    removing.map_err(NetError::file("remove", &path))?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    fn part(&self, hash: ContentHash) -> PathBuf {
        match self.room {
            Some(room) => self.place(hash, &format!("{room}.part")),
            None => self.place(hash, "part"),
        }
    }

    fn place(&self, hash: ContentHash, extension: &str) -> PathBuf {
        let name = hash.to_string();
        self.root.join(&name[..2]).join(format!("{name}.{extension}"))
    }
}

fn remove(gate: &WriteGate, path: &Path) -> Result<(), NetError> {
    let removed = gate.enter().and_then(|_writing| fs::remove_file(path));
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(NetError::file("remove", path)(error)),
        _ => Ok(()),
    }
}

fn hash_of(mut file: File) -> io::Result<ContentHash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(ContentHash::from_bytes(*hasher.finalize().as_bytes())),
            read => drop(hasher.update(&buffer[..read])),
        }
    }
}

/// A rename lasts over a power loss only once its folder is on disk.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(bytes: &[u8]) -> ContentHash {
        ContentHash::from_bytes(*blake3::hash(bytes).as_bytes())
    }

    #[test]
    fn only_what_matches_its_hash_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = AudioStore::open(folder.path()).unwrap();
        let wanted = hash(b"music");
        store.partial(wanted, 0).unwrap().write_all(b"noise").unwrap();
        assert_eq!(store.commit(wanted).unwrap_err().code(), "hash_mismatch");
        assert_eq!((store.path(wanted), store.partial_bytes(wanted)), (None, 0));
        store.partial(wanted, 0).unwrap().write_all(b"mu???").unwrap();
        store.partial(wanted, 2).unwrap().write_all(b"sic").unwrap();
        assert_eq!(fs::read(store.commit(wanted).unwrap()).unwrap(), b"music");
        assert!(store.path(wanted).is_some());
        store.discard(wanted).unwrap();
        store.discard(wanted).unwrap();
        assert_eq!(store.path(wanted), None);
    }

    #[tokio::test]
    async fn nothing_is_written_to_a_folder_that_was_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let gate = WriteGate::default();
        let store = AudioStore::open(folder.path()).unwrap().behind(&gate);
        let (coming, whole) = (hash(b"music"), hash(b"whole"));
        store.partial(whole, 0).unwrap().write_all(b"whole").unwrap();
        let mut part = store.append(coming, 0).unwrap();
        part.write(Bytes::from_static(b"mu")).await.unwrap();
        part.flush().await.unwrap();
        gate.close();
        part.write(Bytes::from_static(b"sic")).await.unwrap();
        part.flush().await.unwrap_err();
        part.clear().await.unwrap_err();
        assert_eq!(store.partial_bytes(coming), 2);
        for refused in [
            store.commit(whole).map(drop),
            store.discard(whole),
            store.partial(coming, 0).map(drop),
            store.remove_stale_parts(Duration::ZERO).map(drop),
        ] {
            refused.unwrap_err();
        }
        assert_eq!((store.partial_bytes(coming), store.partial_bytes(whole)), (2, 5));
    }

    #[test]
    fn partial_files_that_nobody_writes_to_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = AudioStore::open(folder.path()).unwrap();
        let room = store.of_room(RoomId::from_bytes([1; 16]));
        let (old, new, whole) = (hash(b"old"), hash(b"new"), hash(b"whole"));
        store.partial(whole, 0).unwrap().write_all(b"whole").unwrap();
        store.commit(whole).unwrap();
        let day = Duration::from_secs(86_400);
        for (store, hash) in [(&room, old), (&store, new), (&room, new)] {
            store.partial(hash, 0).unwrap().write_all(b"part").unwrap();
        }
        for path in [store.path(whole).unwrap(), room.part(old)] {
            File::open(&path).unwrap().set_modified(SystemTime::now() - 2 * day).unwrap();
        }
        assert_eq!(store.remove_stale_parts(day).unwrap(), 1);
        assert_eq!((room.partial_bytes(old), room.partial_bytes(new), store.partial_bytes(new)), (0, 4, 4));
        assert!(store.path(whole).is_some());
    }
}
