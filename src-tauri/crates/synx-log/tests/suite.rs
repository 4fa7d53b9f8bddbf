//! Both stores pass the suite.

mod memory {
    synx_log::event_store_suite!((synx_log::MemoryStore::new(), ()));
}

mod sqlite {
    use synx_log::{Access, SqliteStore};

    fn make() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("log.db"), Access::ReadWrite).expect("a store");
        (store, folder)
    }

    synx_log::event_store_suite!(make());
}
