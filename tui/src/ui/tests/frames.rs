//! What each screen looks like, in the two sizes that matter most.

use super::super::command::Command;
use super::super::screens::{incidents, tree};
use super::super::state::{Screen, Subject};
use super::Told;

#[test]
fn look() {
    let mut told = Told::attack();
    for (w, h) in [(80, 24), (120, 40), (40, 10)] {
        println!("{}", told.frame(w, h));
        told.model.state.screen = Screen::Tree;
        println!("{}", told.frame(w, h));
        told.model.state.screen = Screen::Timeline;
        println!("{}", told.frame(w, h));
        told.model.state.screen = Screen::Sensor;
        println!("{}", told.frame(w, h));
        told.model.state.screen = Screen::Incidents;
        told.model.state.help = Some(0);
        println!("{}", told.frame(w, h));
        told.model.state.help = None;
    }
    let _ = (Command::Up, incidents::act, tree::act, Subject::Event(1));
}
