//! What user interfaces ask of the library and of the player alone.

use crate::bridge::{Request, Response};
use crate::call::{blocking, done, files, parse};
use crate::error::NodeError;
use crate::library::search::Wanted;
use crate::library::{PictureSize, StoredTrack, analysis_view, waveform_view};
use crate::node::Inner;
use crate::room::solo::Following;
use crate::room::stage::Stage;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synx_domain::ContentHash;

impl Inner {
    pub(crate) async fn answer_library(self: &Arc<Self>, request: Request) -> Result<Response, NodeError> {
        match request {
            Request::OpenFiles { paths, play } => {
                let tracks = self.open_files(files(paths), play).await?;
                Ok(Response::Tracks { tracks: tracks.iter().map(|track| self.library.view(track)).collect() })
            }
            Request::AddToLibrary { paths, play } => done(self.add_to_library(files(paths), play).await),
            Request::RemoveTrack { track } => done(self.library.remove(parse(&track)?)),
            Request::GetWaveform { track, columns, from_s, to_s } => {
                let analysis = self.analysis(&track)?;
                Ok(Response::Waveform { waveform: waveform_view(&analysis, columns, from_s, to_s) })
            }
            Request::GetPicture { track, large } => {
                let size = if large { PictureSize::Large } else { PictureSize::Small };
                let picture = self.picture(parse(&track)?, size).await?;
                Ok(Response::Picture { address: picture.map(|path| address(&path)).transpose()? })
            }
            Request::GetAnalysis { track } => {
                let analysis = self.analysis(&track)?;
                let stored = self.library.store().get(parse(&track)?)?;
                let correction = stored.map(|track| track.correction).unwrap_or_default();
                Ok(Response::Analysis { analysis: Box::new(analysis_view(&analysis, &correction)) })
            }
            Request::ListTracks { list, search, order, from, count } => {
                let (library, wanted) = (Arc::clone(&self.library), Wanted { list, search, order });
                let page = blocking(move || library.page(&wanted, from, count)).await?;
                Ok(Response::TrackPage { page: Box::new(page) })
            }
            Request::GetTrack { track } => {
                let stored = self.library.store().get(parse(&track)?)?;
                Ok(Response::Track { track: stored.map(|track| Box::new(self.library.view(&track))) })
            }
            Request::PlayFrom { track, list, search, order } => {
                let wanted = Wanted { list, search, order };
                done(self.play_alone(&self.stage(), &wanted, parse(&track)?))
            }
            Request::KeepLook { look } => done(self.settings().change(|values| values.look = Some(*look))),
            Request::QueueTrack { track, next } => done(self.queue_alone(parse(&track)?, next)),
            // Alone, places are counted from what plays next.
            Request::QueueMove { item, index } if !self.stage().is_room() => {
                let stage = self.stage();
                let Stage::Solo(solo) = &*stage else { return Err(NodeError::InRoom) };
                done(solo.move_ahead(parse(&item)?, index as usize).map_err(NodeError::from))
            }
            request => self.change_library(request).await,
        }
    }

    async fn change_library(self: &Arc<Self>, request: Request) -> Result<Response, NodeError> {
        let store = self.library.store();
        let changed = match request {
            Request::RemoveFolder { path } => return done(self.library.remove_folder(Path::new(&path))),
            Request::PauseLibrary { paused } => {
                self.library.pause(paused);
                return Ok(Response::Done);
            }
            Request::SetAnalysisWorkers { count } => {
                self.library.set_workers(count);
                return done(self.settings().change(|values| values.analysis_workers = Some(count)));
            }
            Request::Rescan => {
                self.library.rescan();
                return Ok(Response::Done);
            }
            Request::CorrectTempo { track, bpm, first_beat_s } => {
                return done(self.library.correct_tempo(parse(&track)?, bpm, first_beat_s));
            }
            Request::CorrectKey { track, key } => {
                return done(self.library.correct_key(parse(&track)?, key.as_deref()));
            }
            Request::CreatePlaylist { name, tracks } => {
                store.create_playlist(&name, &hashes(&tracks)?).map(drop)
            }
            Request::SaveQueue { name } => store.create_playlist(&name, &self.queued_tracks()).map(drop),
            Request::RenamePlaylist { playlist, name } => store.rename_playlist(playlist, &name),
            Request::DeletePlaylist { playlist } => store.delete_playlist(playlist),
            Request::AddToPlaylist { playlist, tracks } => store.add_to_playlist(playlist, &hashes(&tracks)?),
            Request::RemoveFromPlaylist { playlist, place } => store.remove_from_playlist(playlist, place),
            Request::MoveInPlaylist { playlist, from, to } => store.move_in_playlist(playlist, from, to),
            request => return self.answer_room(request).await,
        };
        self.library.changed();
        done(changed)
    }

    async fn add_to_library(self: &Arc<Self>, paths: Vec<PathBuf>, play: bool) -> Result<(), NodeError> {
        let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
        folders.iter().try_for_each(|folder| self.library.add_folder(folder))?;
        if files.is_empty() { Ok(()) } else { self.open_files(files, play).await.map(drop) }
    }

    async fn open_files(
        self: &Arc<Self>,
        paths: Vec<PathBuf>,
        play: bool,
    ) -> Result<Vec<StoredTrack>, NodeError> {
        let tracks = self.library.open_files(paths).await?;
        let stage = self.stage();
        if let (true, Stage::Solo(solo)) = (play, &*stage) {
            let playable: Vec<_> = tracks.iter().filter(|track| track.error.is_none()).collect();
            let Some((first, following)) = playable.split_first() else {
                let reason = tracks.into_iter().find_map(|track| track.error);
                return Err(reason.map_or(NodeError::NothingToPlay, NodeError::from));
            };
            let store = self.library.store();
            let ids = following.iter().filter_map(|track| store.id_of(track.meta.hash).ok().flatten());
            solo.play(&first.meta, Following { ids: ids.collect(), next: 0 })?;
            self.refill(solo);
        }
        Ok(tracks)
    }

    /// The file with the picture of a track that is on this machine.
    ///
    /// # Errors
    /// When the track cannot be looked into now.
    pub(crate) async fn picture(
        &self,
        hash: ContentHash,
        size: PictureSize,
    ) -> Result<Option<PathBuf>, NodeError> {
        match self.locate(hash) {
            Some(path) => self.library.picture(hash, &path, size).await,
            None => Ok(None),
        }
    }

    fn analysis(&self, track: &str) -> Result<Arc<synx_analysis::Analysis>, NodeError> {
        self.library.analyses().get(parse(track)?).ok_or(NodeError::NotReady { what: "the analysis" })
    }
}

/// A picture in words that a window draws.
fn address(path: &Path) -> Result<String, NodeError> {
    let read = |source| NodeError::File { action: "read", path: path.to_owned(), source };
    let jpeg = std::fs::read(path).map_err(read)?;
    Ok(format!("data:image/jpeg;base64,{}", data_encoding::BASE64.encode(&jpeg)))
}

fn hashes(tracks: &[String]) -> Result<Vec<ContentHash>, NodeError> {
    tracks.iter().map(|track| parse(track)).collect()
}
