//! The parts of a desktop that the app speaks to over the session's bus: a tray, and a taker of notifications.

use crate::PATIENCE;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, connection, interface};

const ITEM: &str = "org.kde.StatusNotifierItem";

/// A desktop. Gone when dropped.
pub struct Desk {
    bus: Connection,
    items: Receiver<String>,
    service: Mutex<Option<String>>,
    notified: Receiver<String>,
}

struct Watcher(Sender<String>);

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        let _ = self.0.send(service);
    }

    fn register_status_notifier_host(&self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

struct Notifications(Sender<String>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    #[expect(clippy::too_many_arguments, reason = "the protocol has that many")]
    fn notify(
        &self,
        _app: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        _actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires_ms: i32,
    ) -> u32 {
        let _ = self.0.send(format!("{summary}: {body}"));
        1
    }

    fn get_capabilities(&self) -> Vec<String> {
        vec!["body".to_owned()]
    }
}

impl Desk {
    /// Takes its place on the session's bus, which must be one of the test's own.
    pub async fn start() -> Self {
        let ((item, items), (notification, notified)) = (channel(), channel());
        let bus = connection::Builder::session().expect("there is a session's bus");
        let bus = bus
            .name("org.kde.StatusNotifierWatcher")
            .and_then(|bus| bus.name("org.freedesktop.Notifications"))
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher(item)))
            .and_then(|bus| bus.serve_at("/org/freedesktop/Notifications", Notifications(notification)))
            .expect("the desktop's names are good")
            .build()
            .await
            .expect("nobody else is the desktop on this bus");
        Self { bus, items, service: Mutex::default(), notified }
    }

    /// The icon that was put into the tray.
    async fn item(&self) -> zbus::Proxy<'_> {
        let name = self.service();
        zbus::Proxy::new(&self.bus, name, "/StatusNotifierItem", ITEM).await.expect("the icon is on the bus")
    }

    fn service(&self) -> String {
        let mut service = self.service.lock().expect("no test has failed with it");
        let came = || self.items.recv_timeout(PATIENCE).expect("an icon was put into the tray");
        service.get_or_insert_with(came).clone()
    }

    /// Clicks the icon.
    pub async fn click_tray(&self) {
        self.item().await.call_method("Activate", &(0_i32, 0_i32)).await.expect("the icon can be clicked");
    }

    /// Waits until the icon says `title`.
    pub async fn until_tray_says(&self, title: &str) {
        let item = self.item().await;
        let end = Instant::now() + PATIENCE;
        let mut said = String::new();
        while Instant::now() < end {
            // Asked anew each time, as a panel that is told of a change does.
            let args = (ITEM, "Title");
            let answer = self.bus.call_method(
                Some(item.destination()),
                item.path(),
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &args,
            );
            let answer = answer.await.expect("the icon answers");
            let value: OwnedValue = answer.body().deserialize().expect("a property is a value");
            said = String::try_from(value).expect("the title is text");
            if said == title {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the tray never said {title:?} but {said:?}");
    }

    /// The next notification.
    pub fn notification(&self) -> String {
        self.notified.recv_timeout(PATIENCE).expect("the desktop was told something")
    }
}
