//! Whatever a peer sends, the others are served.

use crate::house::House;
use crate::peer::Peer;
use futures_util::SinkExt;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use synx_net::Identity;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// What comes over the wire after a hostile peer has joined.
#[derive(Debug, Clone)]
enum Sent {
    /// A text frame, of bytes that need not be text.
    Text(Vec<u8>),
    /// Any frame: its first byte, its length as it says, and its bytes.
    Frame { first: u8, length: u8, bytes: Vec<u8> },
    /// Bytes that need not be frames.
    Raw(Vec<u8>),
}

const TYPES: &[&str] = &[
    "join_room",
    "typing",
    "sync_report",
    "leave_room",
    "chat_message",
    "add_comment",
    "resolve_comment",
    "share_file",
    "give_up_upload",
    "playback_play",
    "playback_pause",
    "playback_seek",
    "playback_loop",
    "playback_skip",
    "queue_add",
    "queue_remove",
    "queue_move",
    "update_settings",
    "change_role",
    "remove_member",
    "lift_ban",
    "update_profile",
    "update_musical_preferences",
    "room_created",
];
const FIELDS: &[&str] = &[
    "id",
    "text",
    "track",
    "position_us",
    "end_us",
    "reply_to",
    "hash",
    "file_name",
    "size_bytes",
    "to",
    "index",
    "item",
    "change",
    "user",
    "role",
    "profile",
    "preferences",
    "report",
    "last_seq",
    "room",
];

fn value() -> impl Strategy<Value = Value> {
    let id = any::<u128>().prop_map(|id| json!(uuid::Uuid::from_u128(id)));
    let hash = any::<[u8; 32]>().prop_map(|hash| json!(data_encoding::HEXLOWER.encode(&hash)));
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,60}".prop_map(Value::from),
        id,
        hash,
    ];
    plain.prop_recursive(4, 32, 6, |inner| {
        let field = (proptest::sample::select(FIELDS).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            vec(inner, 0..6).prop_map(Value::from),
            vec(field, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// What looks like a message.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let field = (proptest::sample::select(FIELDS).prop_map(str::to_owned), value());
    (proptest::sample::select(TYPES), vec(field, 0..6), any::<u128>()).prop_map(|(kind, fields, id)| {
        let mut message = json!({"id": uuid::Uuid::from_u128(id)});
        fields.into_iter().for_each(|(name, value)| message[name.as_str()] = value);
        message["type"] = json!(kind);
        message.to_string().into_bytes()
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let deep = (1_usize..20_000).prop_map(|depth| "[".repeat(depth).into_bytes());
    let text = prop_oneof![
        4 => message(),
        1 => vec(any::<u8>(), 0..300),
        1 => ".{0,300}".prop_map(String::into_bytes),
        1 => deep,
    ];
    let frame = (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..130));
    prop_oneof![
        6 => text.prop_map(Sent::Text),
        2 => frame.prop_map(|(first, length, bytes)| Sent::Frame { first, length, bytes }),
        1 => vec(any::<u8>(), 0..300).prop_map(Sent::Raw),
    ]
}

impl Sent {
    /// Sends it; false once the host has ended the connection, as it may.
    async fn by(self, peer: &mut Peer) -> bool {
        let bytes = match self {
            Self::Text(bytes) => {
                let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
                return peer.socket.send(Message::Frame(frame)).await.is_ok();
            }
            Self::Frame { first, length, bytes } => [&[first, length], bytes.as_slice()].concat(),
            Self::Raw(bytes) => bytes,
        };
        peer.socket.get_mut().write_all(&bytes).await.is_ok()
    }
}

/// A house with somebody in it who wants to be served.
async fn house_with_somebody() -> (House, Peer) {
    let house = House::open().await;
    let somebody = Peer::join(&house, Identity::generate().user_id()).await;
    (house, somebody)
}

#[test]
fn nothing_that_a_peer_sends_keeps_others_from_being_served() {
    let runtime = Runtime::new().unwrap();
    let (house, somebody) = runtime.block_on(house_with_somebody());
    let somebody = std::cell::RefCell::new(somebody);
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(all in vec(sent(), 1..8))| {
        let mut somebody = somebody.borrow_mut();
        let served = runtime.block_on(async {
            let mut hostile = Peer::join(&house, Identity::generate().user_id()).await;
            for sent in all {
                if !sent.by(&mut hostile).await {
                    break;
                }
            }
            // The host is done with them when it has closed, after the end of what they send.
            drop(hostile.socket.get_mut().shutdown().await);
            while hostile.hear_anything().await {}
            let chat = somebody.chat("still here").await;
            somebody.answer(chat).await
        });
        prop_assert_eq!(served, Ok(house.room.seq()));
    });
    assert!(
        house.room.with(|room| room.settings == Some(crate::house::settings())),
        "no stranger is the host"
    );
}
