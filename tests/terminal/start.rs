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
        // Neither after a first look that was given up (5 s), nor after more than a few rounds of questions, one each 2 s.
        assert!(byte < Duration::from_secs(4) && rows < Duration::from_secs(10));
        console.leave();
    }
}
