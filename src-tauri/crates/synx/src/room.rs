//! `synx host` and `synx join`: a room in the terminal, or as JSON Lines for programs.

use crate::Stop;
use crate::args::{Control, Host, Join};
use crate::exit::Exit;
use crate::feed::{Asked, Commands, answer, say, say_error};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use synx_node::bridge::{
    KnockView, NodeEvent, PlaybackControlView, ProfileView, Request, RoomSettingsView, RoomView, StorageView,
    VisibilityView,
};
use synx_node::ops::Ops;
use synx_node::{HostOptions, JoinOptions, Node, NodeConfig, NodeError, RoomEnd};
use tokio::time::MissedTickBehavior;

/// Opens a room and keeps it until the user ends it.
pub async fn host(args: Host, config: NodeConfig) -> Result<Exit, NodeError> {
    let ops = crate::ops::start(&args.operating, args.json).await?;
    let json = args.json;
    let node = match Node::open(config).await {
        Ok(node) => node,
        Err(error) => return failed(json, error),
    };
    finish(json, host_in(&node, args, ops.as_ref()).await, node).await
}

async fn host_in(node: &Node, args: Host, ops: Option<&Ops>) -> Result<Exit, NodeError> {
    name_oneself(node, args.name_as).await?;
    let settings = RoomSettingsView {
        name: args.name,
        visibility: if args.public { VisibilityView::Public } else { VisibilityView::Private },
        max_participants: args.max_participants,
        genres: Vec::new(),
        playback_control: match args.control {
            Control::Host => PlaybackControlView::Host,
            Control::Djs => PlaybackControlView::Djs,
            Control::Everyone => PlaybackControlView::Everyone,
        },
        wait_for_all: Some(args.wait_for_all),
        archive_after_days: Some(args.archive_after),
        storage: Some(StorageView { member_bytes: args.member_storage, room_bytes: args.room_storage }),
    };
    let options = HostOptions {
        settings,
        listen: Some(args.listen),
        tls: !args.no_tls,
        public_address: args.public_address,
        room: args.room,
    };
    let opened = node.host(options).await?;
    if args.json {
        say(
            &json!({"type": "room_opened", "room_id": opened.room_id, "link": opened.link, "port": opened.port}),
        );
    } else {
        println!("The room is open. Others join with this link:\n\n  {}\n\nCtrl-C closes it.\n", opened.link);
    }
    if let Some(ops) = ops {
        let node = node.clone();
        ops.ask(move || node.ready());
    }
    let drain = Drain { ops, patience: Duration::from_secs(args.operating.drain_timeout) };
    live(node, args.json, drain).await
}

/// Joins a room and stays until the user or the room ends it.
pub async fn join(args: Join, config: NodeConfig) -> Result<Exit, NodeError> {
    let json = args.json;
    let node = match Node::open(config).await {
        Ok(node) => node,
        Err(error) => return failed(json, error),
    };
    finish(json, join_in(&node, args).await, node).await
}

async fn join_in(node: &Node, args: Join) -> Result<Exit, NodeError> {
    name_oneself(node, args.name_as).await?;
    let room = enter(node, args.json, JoinOptions { link: args.link, address: args.address }).await?;
    if args.json {
        let chat = node.chat(None, 100);
        say(
            &json!({"type": "room_joined", "room_id": room.id, "you": room.me, "role": room.my_role, "seq": room.seq,
                    "room": room, "chat": chat}),
        );
    } else {
        println!("You are in “{}”. Ctrl-C leaves it.\n", printable(&room.settings.name));
    }
    live(node, args.json, Drain { ops: None, patience: Duration::ZERO }).await
}

/// Joins, and says so when the host is asked first.
async fn enter(node: &Node, json: bool, options: JoinOptions) -> Result<RoomView, NodeError> {
    let mut events = node.subscribe();
    let joining = node.join(options);
    tokio::pin!(joining);
    loop {
        tokio::select! {
            joined = &mut joining => return joined,
            Ok(event) = events.recv() => if let NodeEvent::AtDoorChanged { at_door: Some(door) } = event {
                if json {
                    say(&json!({"type": "waiting_for_host", "message": door.message}));
                } else {
                    println!("{}", printable(&door.message));
                }
            },
        }
    }
}

/// Reports an error the way the caller reads it, and closes the instance in every case.
async fn finish(json: bool, outcome: Result<Exit, NodeError>, node: Node) -> Result<Exit, NodeError> {
    node.close().await;
    outcome.or_else(|error| failed(json, error))
}

fn failed(json: bool, error: NodeError) -> Result<Exit, NodeError> {
    if !json {
        return Err(error);
    }
    say_error(error.code(), &error.to_string());
    Ok(Exit::from(&error))
}

async fn name_oneself(node: &Node, name: Option<String>) -> Result<(), NodeError> {
    let Some(name) = name else { return Ok(()) };
    let known = node.profile().await;
    if known.chosen && known.name == name {
        return Ok(());
    }
    let profile = ProfileView { name, ..known };
    node.call(Request::UpdateProfile { profile }).await.map(drop).map_err(NodeError::from)
}

/// How the program goes when the system ends it: a hosted room stays open, and whoever is in it has some time to go.
struct Drain<'a> {
    ops: Option<&'a Ops>,
    patience: Duration,
}

/// Says what happens and does what is asked, until the end.
async fn live(node: &Node, json: bool, drain: Drain<'_>) -> Result<Exit, NodeError> {
    // Who only just came in may find the room ended already.
    let Ok(mut messages) = node.messages() else { return Ok(ended(node, json)) };
    let mut events = node.subscribe();
    let mut knocks = Vec::new();
    let mut commands = Commands::new();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = crate::interrupted();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            stop = &mut stop => {
                if stop == Stop::System {
                    drain.ops.iter().for_each(|ops| ops.draining());
                    node.drain(drain.patience).await;
                }
                break;
            }
            message = messages.recv() => match message {
                Some(message) if json => say(&serde_json::to_value(&*message).unwrap_or(Value::Null)),
                Some(message) => tell(node, &serde_json::to_value(&*message).unwrap_or(Value::Null)),
                None => return Ok(ended(node, json)),
            },
            event = events.recv() => if let Ok(NodeEvent::RoomChanged { room: Some(room) }) = event
                && room.knocks != knocks
            {
                knocks = room.knocks;
                tell_knocks(&knocks, json);
            },
            _ = seconds.tick() => if json {
                let mut line = serde_json::to_value(node.measure()).unwrap_or(Value::Null);
                line["type"] = json!("sync");
                say(&line);
            },
            asked = commands.next(), if json => if obey(node, asked).await { break },
        }
    }
    Ok(Exit::Done)
}

/// Who waits to be let in.
fn tell_knocks(knocks: &[KnockView], json: bool) {
    if json {
        return say(&json!({"type": "knocks", "knocks": knocks}));
    }
    for knock in knocks {
        println!("{} asks to come in: answer with --json, or in the app", printable(&knock.name));
    }
}

/// Carries out one command; true when it was to leave.
async fn obey(node: &Node, asked: Asked) -> bool {
    let leaves = asked.request == Ok(Request::LeaveRoom);
    let outcome = match asked.request {
        Ok(request) => node.call(request).await.map(drop),
        Err(error) => Err(error),
    };
    answer(&asked.id, &outcome);
    leaves && outcome.is_ok()
}

/// The room is no more: says why.
fn ended(node: &Node, json: bool) -> Exit {
    let RoomEnd { code, message } = node.room_end();
    if json {
        say_error(&code, &message);
    } else {
        println!("{}", printable(&message));
    }
    // A host that goes home refuses nobody.
    if code == "room_closed" { Exit::Done } else { Exit::Refused }
}

/// The same for people.
fn tell(node: &Node, message: &Value) {
    let text = |field: &str| message[field].as_str().unwrap_or_default().to_owned();
    let by = node.name_of(&text("by"));
    let line = match message["type"].as_str().unwrap_or_default() {
        "user_joined" => format!("{} joined", message["profile"]["name"].as_str().unwrap_or_default()),
        "user_left" => format!("{} left", node.name_of(&text("user"))),
        "chat_message" => format!("{by}: {}", text("text")),
        "file_shared" => format!("{by} shared {}", message["track"]["title"].as_str().unwrap_or_default()),
        "processing_failed" => format!("{}: {}", text("file_name"), text("reason")),
        "audio_analysis_complete" => {
            let found = &message["analysis"];
            let tempo = found["bpm"].as_f64().map_or("no tempo".to_owned(), |bpm| format!("{bpm:.1} BPM"));
            format!("analysed: {tempo}, {}", found["key"].as_str().unwrap_or("no key"))
        }
        "playback_sync" => format!("{by}: {}", text("cause").replace('_', " ")),
        _ => return,
    };
    println!("{}", printable(&line));
}

/// What others wrote, without what a terminal would take for commands.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Paths as the bridge has them.
pub fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}
