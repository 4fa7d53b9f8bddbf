//! The command line, of this start and of a second one that is handed over.

use clap::Parser;
use std::path::{Path, PathBuf};
use synx_node::NodeError;
use tauri::Url;

/// The scheme of invite links.
const LINK_SCHEME: &str = "synxsphere";

/// How the app is started.
#[derive(Debug, Clone, Default, PartialEq, Parser)]
#[command(name = "synxsphere", version, about = "Listen to and work on music together, hosted by you")]
pub struct Options {
    /// Folder for everything this instance keeps
    #[arg(long, value_name = "DIR", env = "SYNX_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Output device by name, or `null` for none
    #[arg(long, value_name = "NAME", env = "SYNX_DEVICE")]
    pub device: Option<String>,
    /// Start even if the app already runs; needs a data folder of its own
    #[arg(long)]
    pub new_instance: bool,
    /// An invite link, or audio files to play
    #[arg(value_name = "LINK|FILE")]
    pub open: Vec<String>,
}

/// Something that the app was asked to open.
#[derive(Debug, PartialEq)]
pub enum Opened {
    /// An invite link.
    Link(String),
    /// A file of this machine.
    File(PathBuf),
}

impl Opened {
    /// A link is told by its scheme; `file:` names a file; the app registers for no other.
    pub fn from_url(url: Url) -> Self {
        match url.to_file_path() {
            Ok(path) if url.scheme() == "file" => Self::File(path),
            _ => Self::Link(url.into()),
        }
    }
}

impl Options {
    /// The arguments of a second start, program name first. What cannot be understood opens nothing.
    pub fn from_other_start(argv: Vec<String>) -> Self {
        Self::try_parse_from(argv).unwrap_or_else(|error| {
            tracing::warn!(%error, "another start had arguments that mean nothing");
            Self::default()
        })
    }

    /// The folder for everything this instance keeps.
    ///
    /// # Errors
    /// When the system names none and none was given.
    pub fn data_dir(&self) -> Result<PathBuf, NodeError> {
        self.data_dir.clone().map_or_else(synx_node::default_data_dir, Ok)
    }

    /// How the player is called on the desktop's bus: by the app's name, unless another may have it.
    pub fn bus_name(&self) -> String {
        match self.new_instance {
            true => format!("synxsphere.instance{}", std::process::id()),
            false => "synxsphere".to_owned(),
        }
    }

    /// What is to be opened; relative paths count from `folder`.
    pub fn opened(&self, folder: &Path) -> Vec<Opened> {
        self.open.iter().map(|text| opened(text, folder)).collect()
    }
}

fn opened(text: &str, folder: &Path) -> Opened {
    // `C:\song.mp3` parses as a URL as well, so only the schemes that mean something count.
    match Url::parse(text) {
        Ok(url) if [LINK_SCHEME, "file"].contains(&url.scheme()) => Opened::from_url(url),
        _ => Opened::File(folder.join(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(argv: &[&str]) -> Options {
        Options::from_other_start(argv.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_link_is_kept_as_it_came() {
        let link = "synxsphere://join?v=1&room=abc&a=192.168.1.5:47900";
        assert_eq!(
            start(&["app", "--device", "null", link]).opened(Path::new("/")),
            [Opened::Link(link.into())]
        );
    }

    #[test]
    fn paths_count_from_the_folder_of_the_other_start() {
        let opened = start(&["app", "a.flac", "/music/b.mp3"]).opened(Path::new("/home/ana"));
        assert_eq!(opened, [Opened::File("/home/ana/a.flac".into()), Opened::File("/music/b.mp3".into())]);
    }

    #[test]
    fn a_file_url_is_a_file() {
        let opened = start(&["app", "file:///music/one%20more.ogg"]).opened(Path::new("/"));
        assert_eq!(opened, [Opened::File("/music/one more.ogg".into())]);
    }

    #[test]
    fn senseless_arguments_of_another_start_open_nothing() {
        assert_eq!(start(&["app", "--no-such-switch"]), Options::default());
    }
}
