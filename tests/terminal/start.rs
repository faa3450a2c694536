//! The first frame: how soon there is something, and how soon there are rows. Figures are printed; only the absurd fails.

use std::time::Duration;

use super::driver::{PLAIN, SMALL, Start, WIDE};
use super::scene::Scene;

#[test]
fn the_first_frame_comes_before_the_server_and_the_first_rows_soon_after() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    for size in [WIDE, PLAIN, SMALL] {
        let console = Start::with(&[&scene.uri("oncall")]).size(size).open();
        let byte = console.first_byte();
        console.until("UPDATE orders|idle in tx", 10);
        let rows = console.began.elapsed();
        eprintln!("first byte {byte:?}, first rows {rows:?}, {} bytes at {size:?}", console.raw().len());
        assert!(byte < Duration::from_secs(2) && rows < Duration::from_secs(5));
        console.leave();
    }
}
