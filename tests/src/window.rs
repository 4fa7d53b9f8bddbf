//! The real desktop app in its real WebKit window, driven through WebKitWebDriver under Xvfb.

use crate::{PATIENCE, binary};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A virtual display of its own. Ends when dropped.
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts Xvfb on a free display number.
    pub fn start() -> Self {
        let mut server = Command::new("Xvfb")
            // Without `-noreset` it starts anew whenever nobody is connected, and throws out who comes just then.
            .args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed: cargo xtask setup");
        let mut number = String::new();
        let output = server.stdout.take().expect("stdout is piped");
        BufReader::new(output).read_line(&mut number).expect("Xvfb says its display");
        Self { server, name: format!(":{}", number.trim()) }
    }
}

impl Display {
    /// Starts the app once more, as the desktop does when a link is clicked or a file opened with it, and waits for its end.
    pub fn start_again(&self, link: &str) -> std::process::ExitStatus {
        let mut again = self.app().arg(link).spawn().expect("synxsphere is built");
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = again.try_wait().expect("it can be waited for") {
                return status;
            }
            if Instant::now() > end {
                let _ = again.kill();
                panic!("it does not hand {link} on and end: is there a session bus?");
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The app on this display, to be started by nobody but a person.
    pub fn app(&self) -> Command {
        let mut app = Command::new(binary("synxsphere"));
        app.env("DISPLAY", &self.name);
        app
    }
}

#[cfg(target_os = "linux")]
impl Display {
    /// Asks every window that is seen to close, as the button in its title bar does; how many there were.
    pub fn ask_to_close(&self) -> usize {
        use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};
        let (screen, windows) = self.windows();
        let atom = |name: &str| {
            let asked = screen.intern_atom(false, name.as_bytes()).expect("the display answers");
            asked.reply().expect("the display knows names").atom
        };
        let (protocols, delete) = (atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW"));
        for window in &windows {
            let message = ClientMessageEvent::new(32, *window, protocols, [delete, 0, 0, 0, 0]);
            let sent = screen.send_event(false, *window, EventMask::NO_EVENT, message);
            sent.expect("the display takes messages").check().expect("the window is there");
        }
        windows.len()
    }

    /// Drags files into the window that is seen, as a file manager does, and lets go of them.
    pub fn drop_files(&self, paths: &[&Path]) {
        let (screen, windows) = self.windows();
        crate::dropping::drop_files(&screen, *windows.first().expect("a window is seen"), paths);
    }

    /// Waits until so many windows are seen.
    pub fn until_windows(&self, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.windows().1.len() != count {
            assert!(Instant::now() < end, "never {count} windows but {}", self.windows().1.len());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// What is on the title bars of the windows that are seen.
    pub fn titles(&self) -> Vec<String> {
        use x11rb::protocol::xproto::{AtomEnum, ConnectionExt};
        let (screen, windows) = self.windows();
        let title = |window: u32| {
            let asked = screen.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64).ok()?;
            String::from_utf8(asked.reply().ok()?.value).ok()
        };
        windows.into_iter().filter_map(title).collect()
    }

    /// How many different colours the app's window shows; none without a window.
    pub fn colours(&self) -> usize {
        use x11rb::protocol::xproto::{ConnectionExt, ImageFormat};
        let (screen, windows) = self.windows();
        let pixels = |window: &u32| {
            let size = screen.get_geometry(*window).ok()?.reply().ok()?;
            let (wide, tall) = (size.width, size.height);
            let image = screen.get_image(ImageFormat::Z_PIXMAP, *window, 0, 0, wide, tall, !0).ok()?;
            Some(image.reply().ok()?.data)
        };
        let data = windows.first().and_then(pixels).unwrap_or_default();
        data.chunks_exact(4).collect::<std::collections::HashSet<_>>().len()
    }

    fn windows(&self) -> (x11rb::rust_connection::RustConnection, Vec<u32>) {
        use x11rb::connection::Connection;
        use x11rb::protocol::xproto::{ConnectionExt, MapState};
        let (screen, _) = x11rb::connect(Some(&self.name)).expect("the display is there");
        let root = screen.setup().roots[0].root;
        let all = screen.query_tree(root).expect("the display answers").reply().expect("there is a tree");
        // What is as small as a pixel belongs to the toolkit.
        let seen = |window: &u32| {
            let size = screen.get_geometry(*window).ok()?.reply().ok()?;
            let state = screen.get_window_attributes(*window).ok()?.reply().ok()?.map_state;
            Some(state == MapState::VIEWABLE && size.width > 100)
        };
        let windows = all.children.into_iter().filter(|window| seen(window) == Some(true)).collect();
        (screen, windows)
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// One running app with its driver.
pub struct Window {
    display: String,
    driver: Child,
    client: Client,
}

impl Window {
    /// Starts the app beside others, with its own data folder and a null output device.
    pub async fn open(display: &Display, data_dir: &Path) -> Self {
        Self::start(display, data_dir, &["--new-instance"]).await
    }

    /// Starts the app as the one that later starts hand their arguments to.
    pub async fn open_first(display: &Display, data_dir: &Path) -> Self {
        Self::start(display, data_dir, &[]).await
    }

    /// Starts the app with a file, as the desktop does when it does not run yet.
    pub async fn open_with(display: &Display, data_dir: &Path, file: &Path) -> Self {
        Self::start(display, data_dir, &[file.to_str().expect("the file's name is text")]).await
    }

    async fn start(display: &Display, data_dir: &Path, more: &[&str]) -> Self {
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .env("DISPLAY", &display.name)
            // Without this the app's web view refuses to be driven.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("WebKitWebDriver is installed: cargo xtask setup");
        let mut args = vec!["--device", "null", "--data-dir"];
        let data_dir = data_dir.to_str().expect("the folder's name is text");
        args.push(data_dir);
        args.extend(more);
        let app = binary("synxsphere");
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("webkitgtk:browserOptions".to_owned(), json!({"binary": app, "args": args}));
        let client = connect(port, capabilities).await;
        Self { display: display.name.clone(), driver, client }
    }

    /// The process that all of it descends from.
    pub fn id(&self) -> u32 {
        self.driver.id()
    }

    /// The element with a test id, once it is there.
    pub async fn find(&self, id: &str) -> Element {
        let selector = format!("[data-testid='{id}']");
        let wait = self.client.wait().at_most(PATIENCE);
        match wait.for_element(Locator::Css(&selector)).await {
            Ok(element) => element,
            Err(error) => panic!("no element {id}: {error}; the page shows:\n{}", self.text().await),
        }
    }

    /// Clicks an element.
    pub async fn click(&self, id: &str) {
        self.find(id).await.click().await.expect("the element can be clicked");
    }

    /// Replaces an input's content.
    pub async fn fill(&self, id: &str, text: &str) {
        let input = self.find(id).await;
        input.clear().await.expect("the input can be cleared");
        input.send_keys(text).await.expect("the input takes keys");
    }

    /// Presses keys in an element.
    pub async fn press(&self, id: &str, keys: &str) {
        self.find(id).await.send_keys(keys).await.expect("the element takes keys");
    }

    /// Waits until an expression over the document is true.
    pub async fn until(&self, what: &str, expression: &str) {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            // Two frames: a state that is drawn, not one that is about to be.
            let script = format!(
                "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(!!({expression}))))"
            );
            if self.client.execute_async(&script, vec![]).await.is_ok_and(|value| value == Value::Bool(true))
            {
                return;
            }
        }
        panic!("never {what}; the page shows:\n{}", self.text().await);
    }

    /// What a script of the page hands to its `done` in the end.
    pub async fn measured(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        self.client.execute_async(&script, vec![]).await.expect("the script runs to its end")
    }

    /// The value of an expression over the document.
    pub async fn value(&self, expression: &str) -> Value {
        self.client
            .execute(&format!("return {expression}"), vec![])
            .await
            .expect("the expression has a value")
    }

    /// All text of the page.
    pub async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", vec![]).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Gives the window another size.
    pub async fn resize(&self, wide_px: u32, tall_px: u32) {
        self.client.set_window_size(wide_px, tall_px).await.expect("the window can be resized");
        self.until("resized", &format!("innerWidth === {wide_px} && innerHeight === {tall_px}")).await;
    }

    /// Whether pictures are kept for people to look at.
    pub fn keeps_pictures() -> bool {
        std::env::var_os("SYNX_SCREENSHOTS").is_some()
    }

    /// Keeps a picture of the display where `SYNX_SCREENSHOTS` says, for people to look at. WebKitWebDriver's own may never come.
    pub async fn screenshot(&self, name: &str) {
        let Some(folder) = std::env::var_os("SYNX_SCREENSHOTS") else { return };
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        self.until("drawn", "document.getAnimations().every((one) => one.playState !== 'running')").await;
        let drawn = Command::new("import")
            .args(["-display", &self.display, "-window", "root", "-trim", "+repage"])
            .arg(Path::new(&folder).join(format!("{name}.png")))
            .status()
            .expect("ImageMagick is installed, which draws the pictures");
        assert!(drawn.success(), "no picture {name}");
    }

    /// Closes the app and waits until it is gone.
    pub async fn close(mut self) {
        let _ = self.client.clone().close().await;
        // The driver ends the app after it has answered: who ends the driver before that leaves the app.
        let end = Instant::now() + PATIENCE;
        while has_children(self.driver.id()) {
            assert!(Instant::now() < end, "the app does not end");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

async fn connect(port: u16, capabilities: serde_json::Map<String, Value>) -> Client {
    let end = Instant::now() + PATIENCE;
    let address = format!("http://127.0.0.1:{port}");
    loop {
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let connected = builder.capabilities(capabilities.clone()).connect(&address);
        match tokio::time::timeout(PATIENCE, connected).await {
            Ok(Ok(client)) => return client,
            Err(_) => panic!("the app started, but its window does not let itself be driven"),
            // The driver needs a moment until it listens.
            Ok(Err(error)) if Instant::now() > end => panic!("the app does not start: {error}"),
            Ok(Err(_)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

/// Where the system does not say, there are none.
fn has_children(process: u32) -> bool {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    children.is_ok_and(|children| !children.trim().is_empty())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free").port()
}
