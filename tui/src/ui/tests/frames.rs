//! What each screen looks like, in the two sizes that matter most.

use super::super::command::Command;
use super::super::screens::{incidents, tree};
use super::super::state::{Screen, Subject};
use super::Told;

#[test]
fn look() {
    let mut told = Told::attack();
    println!("{}", told.frame(80,24));
    told.model.state.size = ratatui::layout::Size{width:80,height:24};
    told.act(|scene, state| { incidents::act(scene, state, Command::Open, 20); incidents::act(scene, state, Command::Down, 20); incidents::act(scene, state, Command::Down, 20); incidents::act(scene, state, Command::Down, 20);});
    println!("{}", told.frame(80,24));
    println!("{}", told.frame(40,10));
    for subject in [Subject::Stage{incident:"i-4c1f8a02".into(), stage:3}, Subject::Process(told.incidents[0].processes[1].key), Subject::Container(told.incidents[0].processes[4].container.clone().unwrap()), Subject::Event(33)] {
    told.model.state.open(subject);
    println!("{}", told.frame(80, 60));
    println!("{}", told.frame(120, 24));
    }
    let _ = (Command::Up, incidents::act, tree::act, Subject::Event(1), Screen::Tree);
    println!("{}", Told::quiet().frame(80, 24));
    println!("{}", Told::connecting().frame(80, 24));
}
