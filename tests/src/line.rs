//! A way to a host that lets no further connection through until it is opened: what is asked on a connection of its own,
//! as a file is, is held back, and what is connected stays so.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// The line. It ends with the test's process.
pub struct Line {
    address: SocketAddr,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Line {
    /// An open one to a port of loopback.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let open = Arc::new((Mutex::new(true), Condvar::new()));
        let gate = Arc::clone(&open);
        thread::spawn(move || {
            for from in listener.incoming().map_while(Result::ok) {
                let gate = Arc::clone(&gate);
                thread::spawn(move || {
                    let open = gate.0.lock().expect("nobody panics with it");
                    drop(gate.1.wait_while(open, |open| !*open).expect("nobody panics with it"));
                    // A host that is gone is the end of the connection.
                    if let Ok(to) = TcpStream::connect(("127.0.0.1", port)) {
                        join(&from, &to);
                    }
                });
            }
        });
        Self { address, open }
    }

    /// Where it begins, as `host:port`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Lets further connections wait, or through.
    pub fn set_open(&self, open: bool) {
        *self.open.0.lock().expect("nobody panics with it") = open;
        self.open.1.notify_all();
    }
}

fn join(from: &TcpStream, to: &TcpStream) {
    for (mut reads, mut writes) in [(clone(from), clone(to)), (clone(to), clone(from))] {
        thread::spawn(move || {
            let mut bytes = [0; 16 * 1024];
            while let Ok(count @ 1..) = reads.read(&mut bytes) {
                if writes.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            // Either side may have gone first.
            drop(writes.shutdown(Shutdown::Write));
        });
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket has another handle")
}
