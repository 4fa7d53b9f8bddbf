//! A file manager that drags files into a window and lets go of them, by the protocol that desktops use for it (XDND).

use crate::PATIENCE;
use std::path::Path;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, ClientMessageEvent, ConnectionExt, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_FROM_PARENT, CURRENT_TIME};

/// Of the protocol.
const VERSION: u32 = 5;
/// A hand holds still this long between two movements.
const MOVES_EVERY: Duration = Duration::from_millis(50);

/// Who holds the files.
struct Hand<'a> {
    screen: &'a RustConnection,
    own: Window,
    target: Window,
    uris: String,
    asked: bool,
}

/// Drags files over the middle of a window, and lets go once it takes them.
pub fn drop_files(screen: &RustConnection, target: Window, paths: &[&Path]) {
    let root = screen.setup().roots[0].root;
    let own = screen.generate_id().expect("there are ids left");
    let aux = CreateWindowAux::new();
    let made =
        screen.create_window(0, own, root, 0, 0, 1, 1, 0, WindowClass::INPUT_OUTPUT, COPY_FROM_PARENT, &aux);
    made.expect("the display takes orders").check().expect("a window can be made");
    let uris = paths.iter().map(|path| format!("{}\r\n", uri(path))).collect();
    let mut hand = Hand { screen, own, target, uris, asked: false };
    let owned = screen.set_selection_owner(own, hand.atom("XdndSelection"), CURRENT_TIME);
    owned.expect("the display takes orders").check().expect("what is dragged can be owned");
    hand.drag();
}

/// As file managers write it: every byte but the plainest as a number.
fn uri(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let path = path.to_str().expect("the path is text").bytes();
    let encoded =
        path.map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    format!("file://{}", encoded.collect::<String>())
}

impl Hand<'_> {
    fn atom(&self, name: &str) -> Atom {
        let asked = self.screen.intern_atom(false, name.as_bytes()).expect("the display answers");
        asked.reply().expect("the display knows names").atom
    }

    fn say(&self, kind: &str, data: [u32; 5]) {
        let message = ClientMessageEvent::new(32, self.target, self.atom(kind), data);
        let sent = self.screen.send_event(false, self.target, EventMask::NO_EVENT, message);
        sent.expect("the display takes messages").check().expect("the window is there");
    }

    fn drag(&mut self) {
        let size =
            self.screen.get_geometry(self.target).expect("the display answers").reply().expect("it is there");
        let (x, y) = (size.x as u32 + u32::from(size.width) / 2, size.y as u32 + u32::from(size.height) / 2);
        let (copy, list) = (self.atom("XdndActionCopy"), self.atom("text/uri-list"));
        let (status, finished) = (self.atom("XdndStatus"), self.atom("XdndFinished"));
        self.say("XdndEnter", [self.own, VERSION << 24, list, 0, 0]);
        let end = Instant::now() + PATIENCE;
        let (mut moved_at, mut taken, mut dropped) = (Instant::now() - MOVES_EVERY, false, false);
        // A window may ask for the files more than once, and drops what was let go of before it had them.
        let (mut answered, mut moved_since, mut settled) = (true, false, false);
        loop {
            assert!(
                Instant::now() < end,
                "the window does not take files: asked {}, taken {taken}",
                self.asked
            );
            if settled && !dropped {
                dropped = true;
                self.say("XdndDrop", [self.own, 0, CURRENT_TIME, 0, 0]);
            }
            // No movement is told before the last one was answered: XDND says so.
            if !dropped && answered && moved_at.elapsed() >= MOVES_EVERY {
                (moved_at, answered, moved_since) = (Instant::now(), false, true);
                self.say("XdndPosition", [self.own, 0, x << 16 | y, CURRENT_TIME, copy]);
            }
            match self.screen.poll_for_event().expect("the display is there") {
                Some(Event::SelectionRequest(request)) => {
                    (moved_since, settled) = (false, false);
                    self.hand_over(&request);
                }
                Some(Event::ClientMessage(message)) if message.type_ == status => {
                    (answered, taken) = (true, message.data.as_data32()[1] & 1 == 1);
                    // What was handed over came before the movement that this answers.
                    settled = taken && self.asked && moved_since;
                }
                Some(Event::ClientMessage(message)) if message.type_ == finished => return,
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    fn hand_over(&mut self, request: &SelectionRequestEvent) {
        let list = self.atom("text/uri-list");
        let knows = request.target == list;
        if knows {
            let text = self.uris.as_bytes();
            let put = self.screen.change_property8(
                PropMode::REPLACE,
                request.requestor,
                request.property,
                list,
                text,
            );
            put.expect("the display takes orders").check().expect("the window takes what it asked for");
            self.asked = true;
        }
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if knows { request.property } else { x11rb::NONE },
        };
        let sent = self.screen.send_event(false, request.requestor, EventMask::NO_EVENT, answer);
        sent.expect("the display takes messages").check().expect("the window is there");
    }
}
