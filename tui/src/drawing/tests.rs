//! Pictures of the reference attack.

use std::rc::Rc;

use lanner_core::engine::Engine;

use super::*;

fn engine(name: &str) -> Engine {
    let scenario = lanner_scenarios::SCENARIOS.iter().find(|s| s.name == name).expect("a scenario");
    let mut reader = lanner_recording::Reader::new(scenario.recording).expect("a recording");
    let mut engine = crate::detection::engine().expect("the rules");
    for batch in &mut reader {
        batch.events.iter().for_each(|event| drop(engine.apply(event)));
    }
    engine.flush();
    engine
}

#[test]
fn reference() {
    let engine = engine("container-escape");
    for (detail, fold) in
        [(Detail::Names, None), (Detail::Names, Some(200)), (Detail::Full, Some(200)), (Detail::Full, Some(78))]
    {
        let sketch = Rc::new(of_incident(&engine.incidents()[0], engine.graph()));
        let drawing = lay_out(sketch, Shape { detail, fold }, &mut Memory::default());
        let cells = Cells::new(&drawing, drawing.bounds, Glyphs::Unicode, None);
        println!("{:?}\n{}", drawing.bounds, cells.text());
    }
}
