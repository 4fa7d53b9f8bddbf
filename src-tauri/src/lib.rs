//! The desktop shell: one window, one command and one channel into the node.
//!
//! Must never hold logic of its own: what the window shows and asks for is between the page and `synx-node`.

mod bridge;
#[cfg(target_os = "linux")]
mod drawing;
mod links;
mod media_keys;
mod notify;
mod options;
mod tray;
mod words;

pub use options::Options;
pub use synx_node::worker::serve_if_asked;

use bridge::Bridge;
use std::path::Path;
use synx_node::bridge::LanguageView;
use synx_node::{DataPaths, Node, NodeConfig, NodeError};
use tauri::plugin::TauriPlugin;
use tauri::{
    App, AppHandle, Manager, RunEvent, WebviewWindow, WebviewWindowBuilder, WindowEvent, async_runtime,
};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use tauri_plugin_window_state::StateFlags;
use tray::Tray;

/// The window's label in `tauri.conf.json`.
const WINDOW: &str = "main";

/// Runs the app until its window is closed, or while others are in its room and the tray shows it, until it is quit.
///
/// # Errors
/// When the system's web view is missing or refuses.
pub fn run(options: Options) -> tauri::Result<()> {
    #[cfg(target_os = "linux")]
    drawing::suit();
    let mut builder = tauri::Builder::default();
    if !options.new_instance {
        // First of all plugins: a second start hands over its arguments and ends before anything is opened.
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, argv, folder| {
            show_window(app);
            let opened = Options::from_other_start(argv).opened(Path::new(&folder));
            Bridge::of(app, |bridge| bridge.open(opened));
        }));
    }
    if let Ok(data_dir) = options.data_dir() {
        builder = builder.plugin(remember_window(&DataPaths::of(&data_dir)));
    }
    let app = builder
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::init())
        .invoke_handler(tauri::generate_handler![
            bridge::call,
            bridge::subscribe,
            links::open_link,
            notify::notify
        ])
        .setup(move |app| start(app, options))
        .build(tauri::generate_context!("tauri.conf.json"))?;
    app.run(|app, event| match event {
        RunEvent::Exit => Bridge::of(app, Bridge::close),
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. }
            if label == WINDOW && keep_hosting(app) =>
        {
            api.prevent_close();
        }
        // The message of an app that could not start outlives its window.
        RunEvent::ExitRequested { code: None, api, .. } if app.try_state::<Bridge>().is_none() => {
            api.prevent_exit();
        }
        // How macOS hands over links and files; elsewhere they are arguments.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            Bridge::of(app, |bridge| bridge.open(urls.into_iter().map(options::Opened::from_url).collect()));
        }
        _ => {}
    });
    Ok(())
}

/// Opens the window and the node that it is onto. Without a node the window goes, and a message says why.
fn start(app: &mut App, options: Options) -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(target_os = "linux")]
    register_portable(app);
    // Side by side: making a window takes about as long, and the page's process comes up meanwhile.
    let node = async_runtime::spawn(open_node(options.clone()));
    let window = make_window(app, &options);
    match async_runtime::block_on(node)? {
        Ok(node) => {
            window?;
            let bridge = Bridge::new(app.handle().clone(), node.clone());
            bridge.open(options.opened(&std::env::current_dir().unwrap_or_default()));
            app.manage(bridge);
            Tray::start(app.handle(), &node);
            media_keys::start(app.handle(), &node, &options.bus_name());
        }
        Err(error) => {
            tracing::error!(%error, "the app cannot start");
            // Before its page has run: another app may have the profile. There may be none, if the folder is at fault.
            if let Ok(Err(error)) = window.map(|window| window.destroy()) {
                tracing::warn!(%error, "a window without a node stays");
            }
            let handle = app.handle().clone();
            let language = LanguageView::of_the_system();
            let message =
                app.dialog().message(words::why_not(language, error)).title(words::cannot_start(language));
            message.kind(MessageDialogKind::Error).show(move |_| handle.exit(1));
        }
    }
    Ok(())
}

/// The window. What its page asks for is heard once the app runs, when the bridge is there.
fn make_window(app: &App, options: &Options) -> Result<WebviewWindow, Box<dyn std::error::Error>> {
    let windows = &app.config().app.windows;
    let window =
        windows.iter().find(|window| window.label == WINDOW).ok_or("tauri.conf.json has no window")?;
    let mut window = WebviewWindowBuilder::from_config(app.handle(), window)?;
    // A profile that somebody set up elsewhere stays within its folder: two whose pages share one lose what either keeps.
    if let Some(folder) = &options.data_dir {
        window = window.data_directory(DataPaths::of(&std::path::absolute(folder)?).page());
    }
    #[cfg(target_os = "linux")]
    let window = drawing::make(window)?;
    #[cfg(not(target_os = "linux"))]
    let window = window.build()?;
    Ok(window)
}

/// Where the window was and how large, as one left it.
fn remember_window<R: tauri::Runtime>(paths: &DataPaths) -> TauriPlugin<R> {
    let kept = StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED | StateFlags::FULLSCREEN;
    // Its folder is the instance's own: a path that is whole stands for itself.
    let file = std::path::absolute(paths.window()).unwrap_or_else(|_| paths.window());
    tauri_plugin_window_state::Builder::new()
        .with_state_flags(kept)
        .with_filename(file.to_string_lossy())
        .build()
}

async fn open_node(options: Options) -> Result<Node, NodeError> {
    // A profile that somebody set up elsewhere, to try something or beside their own, stays within its folder.
    let keyring = options.data_dir.is_none();
    Node::open(NodeConfig { data_dir: options.data_dir()?, device: options.device, keyring }).await
}

/// An AppImage is not installed, so nobody but itself can tell the desktop that it opens links.
#[cfg(target_os = "linux")]
fn register_portable(app: &App) {
    use tauri_plugin_deep_link::DeepLinkExt;
    if std::env::var_os("APPIMAGE").is_some()
        && let Err(error) = app.deep_link().register_all()
    {
        tracing::warn!(%error, "links will not open this app");
    }
}

/// Puts the window away in place of closing it while others are in the room; true if so.
fn keep_hosting(app: &AppHandle) -> bool {
    let Some((language, room, guests)) = Tray::keeps_open_for(app) else { return false };
    let hidden = app.get_webview_window(WINDOW).is_some_and(|window| window.hide().is_ok());
    if hidden {
        let (title, body) = words::still_open(language, &room, guests);
        // Who gets no notifications sees the icon.
        drop(notify::notify(app.clone(), title, body));
    }
    hidden
}

fn show_window(app: &AppHandle) {
    let Some(window) = app.get_webview_window(WINDOW) else { return };
    if let Err(error) = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus()) {
        tracing::warn!(%error, "the window cannot be brought to the front");
    }
}
