//! Signals to others.

use lanner_core::event::{Event, Payload, SignalOutcome, SignalSent};

use super::stage::{after, done, perform, stage};
use super::trace::Victim;

fn signals(life: &[Event]) -> Vec<SignalSent> {
    life.iter().filter_map(|e| if let Payload::Signal(sent) = e.payload { Some(sent) } else { None }).collect()
}

#[test]
fn signals_to_others_are_told_and_not_each_time() {
    let Some(stage) = stage() else { return };
    let victim = Victim::new();
    let pid = victim.pid();
    let (_, life) = perform(
        stage,
        &mut after(move || {
            // SAFETY: calls that take numbers.
            unsafe {
                for _ in 0..5 {
                    done(libc::kill(pid, libc::SIGCONT).into())?;
                }
                // Asks whether it is there.
                done(libc::kill(pid, 0).into())?;
                // To oneself.
                done(libc::kill(libc::getpid(), libc::SIGCONT).into())?;
                done(libc::syscall(libc::SYS_tgkill, pid, pid, libc::SIGUSR1))?;
            }
            Ok(())
        }),
    );
    let told = signals(&life);
    let target = told.first().expect("a signal").target;
    assert_eq!((i32::try_from(target.pid), target.start > life[0].header.process.start), (Ok(pid), false));
    // Nothing of `sleep` asks for SIGCONT, so that it ends with the kernel.
    let sent = |count| SignalSent {
        signal: libc::SIGCONT as u32,
        target,
        target_tid: target.pid,
        thread_only: false,
        outcome: SignalOutcome::Ignored,
        count,
    };
    let thread =
        SignalSent { signal: libc::SIGUSR1 as u32, thread_only: true, outcome: SignalOutcome::Delivered, ..sent(1) };
    assert_eq!(told, [sent(1), sent(2), sent(4), thread]);
}
