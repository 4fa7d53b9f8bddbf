//! Looking back: members read the room's log page by page, others not at all.

use crate::house::House;
use crate::http::Ask;
use crate::soon;

#[tokio::test]
async fn a_member_reads_the_whole_log_in_pages() {
    let house = House::open().await;
    let guest = house.guest("Ben").await;
    // Long enough that a page ends by its size before it does by its number of events.
    let words = "a long story ".repeat(300);
    for _ in 0..900 {
        house.room.host_says(&words);
    }
    let (mut read, mut pages) = (Vec::new(), 0);
    loop {
        let page = soon(guest.client.history(read.len() as u64)).await.unwrap();
        if page.is_empty() {
            break;
        }
        (pages, _) = (pages + 1, read.extend(page));
    }
    let log: Vec<_> = house.room.log().iter().map(|envelope| (**envelope).clone()).collect();
    assert_eq!(read, log);
    assert!(pages > 1, "{pages}");
}

#[tokio::test]
async fn nobody_else_reads_any_of_it() {
    let house = House::open().await;
    let path = format!("/api/v1/rooms/{}/events", house.room.id());
    assert_eq!(Ask::get(&path).send(house.at()).await.refused(), (401, "token_missing".to_owned()));
    let elsewhere = house.add_room();
    let user = house.member();
    let token = house.token_for(&elsewhere, user);
    let asked = Ask::get(&path).bearer(&token).send(house.at()).await;
    assert_eq!(asked.refused(), (401, "token_other_room".to_owned()));

    let token = house.token(user);
    assert_eq!(Ask::get(&path).bearer(&token).send(house.at()).await.status, 200);
    house.room.host_removes(user);
    assert_eq!(Ask::get(&path).bearer(&token).send(house.at()).await.status, 403);
    let senseless = Ask::get(format!("{path}?after=-1")).bearer(&token).send(house.at()).await;
    assert_eq!(senseless.status, 400);
}
