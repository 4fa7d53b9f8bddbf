//! The process that is measured: the product's log, rooms and server, with limits that a load generator does not meet.

use crate::peers::Person;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use synx_cluster::{ClusterOptions, JetStreamStore};
use synx_domain::{Command, PlaybackControl, RoomId, RoomSettings, StorageLimits, UserProfile, Visibility};
use synx_log::{Log, LogOptions};
use synx_net::{AudioStore, HostKey, Limits, RoomBackend, Server, ServerConfig, TlsIdentity};
use synx_node::{HostBackend, HostedRoom};
use uuid::Uuid;

/// Threads of the runtime, as `synx` has them.
const WORKERS: usize = 2;

/// The rooms are numbered.
pub fn room_id(number: usize) -> RoomId {
    RoomId::from_uuid(Uuid::from_u128(number as u128 + 1))
}

/// A room that is open to all who ask.
pub fn settings() -> RoomSettings {
    RoomSettings {
        name: "Bench".to_owned(),
        visibility: Visibility::Public,
        max_participants: 1000,
        genres: Vec::new(),
        playback_control: PlaybackControl::Djs,
        storage: StorageLimits::default(),
        wait_for_all: false,
        archive_after_days: 0,
    }
}

/// `serve FOLDER ROOMS MEMBERS tls|plain [NATS…]`: opens the rooms, says at which port, and ends with its standard input.
pub fn serve(args: &[String]) {
    let (args, nats) = args.split_at(4);
    let [folder, rooms, members, tls] = args else {
        panic!("serve FOLDER ROOMS MEMBERS tls|plain [NATS…]")
    };
    let (rooms, members) = (rooms.parse().unwrap(), members.parse().unwrap());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().unwrap();
    let log = log(Path::new(folder), nats);
    let server = runtime.block_on(open(log, Path::new(folder), rooms, members, tls == "tls"));
    println!("{}", server.local_addr().port());
    // The measuring process closes the pipe, or is gone.
    drop(std::io::stdin().read(&mut [0; 1]));
    runtime.block_on(server.stop());
}

/// The log in the folder, or the one that each of these servers keeps, with its copy there.
fn log(folder: &Path, nats: &[String]) -> Log {
    if nats.is_empty() {
        return Log::open(&folder.join("log.db"), LogOptions::default()).unwrap();
    }
    let options = ClusterOptions::new(nats.to_vec(), folder.join("copy.db"));
    let options = ClusterOptions { replicas: nats.len(), ..options };
    Log::over(Arc::new(JetStreamStore::open(options).unwrap()), LogOptions::default()).unwrap()
}

async fn open(log: Log, folder: &Path, rooms: usize, members: usize, tls: bool) -> Server {
    let tls = tls.then(|| TlsIdentity::load_or_create(&folder.join("tls")).unwrap());
    let host_key = Arc::new(HostKey::load_or_create(&folder.join("host.key")).unwrap());
    let audio = AudioStore::open(&folder.join("audio")).unwrap();
    let limits = Limits {
        connections: 100_000,
        peers_per_room: 100_000,
        messages_per_s: 1e9,
        message_burst: 1e9,
        catch_up_events: 10_000_000,
        ..Limits::default()
    };
    let config = ServerConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), tls, host_key, audio);
    let server = Server::start(ServerConfig { limits, ..config }).await.unwrap();
    for number in 0..rooms {
        let room = Arc::new(HostedRoom::open(log.clone(), room_id(number)).await.unwrap());
        if log.head(room.id()).unwrap() == 0 {
            let host = Person::numbered(number * members).user_id();
            let profile = UserProfile { name: "Host".to_owned(), ..UserProfile::default() };
            let create = Command::CreateRoom { profile, settings: settings() };
            room.execute_as(host, create).await.unwrap();
        }
        let backend: Arc<dyn RoomBackend> = Arc::new(HostBackend::alone(&room));
        server.add_room(backend);
    }
    server
}
