//! Whether there is a shell that would continue this program once it has stopped.

/// How far up it is looked.
const MOST: usize = 64;

/// Where a process stands among jobs, from /proc/PID/stat. The system calls for it cannot be asked through rustix: a session
/// whose leader lives outside of this pid namespace, as after `nsenter` or `kubectl exec`, is 0, which its `Pid` cannot hold.
struct Place {
    parent: i32,
    job: i32,
    session: i32,
}

impl Place {
    fn of(process: &str) -> Option<Place> {
        Place::parse(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Place> {
        // The name before may hold anything; behind it come the state and these (proc_pid_stat(5)).
        let (_, behind) = stat.rsplit_once(')')?;
        let mut numbers = behind.split_whitespace().skip(1).map_while(|word| word.parse().ok());
        Some(Place { parent: numbers.next()?, job: numbers.next()?, session: numbers.next()? })
    }
}

/// Whether somebody in this session, outside of this job, runs it: such a shell may stop and continue it. Without one the
/// job is orphaned (POSIX, 3.264); whoever stopped it then would stop it for good.
pub(crate) fn is_there() -> bool {
    let Some(own) = Place::of("self") else { return false };
    let mut above = own.parent;
    for _ in 0..MOST {
        let Some(place) = Place::of(&above.to_string()) else { return false };
        if place.session != own.session {
            return false;
        }
        if place.job != own.job {
            return true;
        }
        // Who runs a process of this job, such as sudo or cargo.
        above = place.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_name_with_parentheses_and_numbers_hides_nothing() {
        let place = Place::parse("77 (a) 1 2 (3) S 12 77 0 34816 77 4194560").unwrap();
        assert_eq!((place.parent, place.job, place.session), (12, 77, 0));
        assert!(Place::parse("77 (a").is_none());
        assert!(Place::parse("77 (a) S 1 2").is_none());
    }
}
