//! Which variables of an environment are read. The programs compare the first eight bytes of `NAME=`; the whole name is
//! compared here.

use std::collections::HashSet;

use lanner_collector_abi::Variable;
use lanner_core::event::{Environment, Text};

/// More variables than the programs' map takes are left out.
const MAX: usize = 64;

/// The names of variables that may be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(HashSet<Vec<u8>>);

impl Variables {
    pub(super) fn new(names: &[String]) -> Self {
        let fits = |name: &&String| !name.is_empty() && !name.bytes().any(|b| b == b'=' || b == 0);
        Variables(names.iter().filter(fits).take(MAX).map(|name| name.as_bytes().to_vec()).collect())
    }

    /// What the programs compare.
    pub(super) fn beginnings(&self) -> HashSet<Variable> {
        let word = |name: &Vec<u8>| {
            let mut bytes = [0; 8];
            for (to, from) in bytes.iter_mut().zip(name.iter().chain(b"=")) {
                *to = *from;
            }
            Variable::from_le_bytes(bytes)
        };
        self.0.iter().map(word).collect()
    }

    /// Leaves out the variables that only begin like one that may be read.
    pub(super) fn retain(&self, environment: &mut Environment) {
        environment.list.retain(|variable| self.may_read(variable.as_bytes()));
        for variable in &mut environment.list {
            if let Some(plain) = without_password(variable.as_bytes()) {
                *variable = Text::from(plain);
            }
        }
    }

    pub(super) fn may_read(&self, variable: &[u8]) -> bool {
        let name = variable.split(|b| *b == b'=').next().unwrap_or_default();
        name.len() < variable.len() && self.0.contains(name)
    }
}

/// The variable without the name and password that an address in it has: `http://name:password@proxy`; `None` when it
/// has none.
fn without_password(variable: &[u8]) -> Option<Vec<u8>> {
    let from = variable.windows(3).position(|w| w == b"://")? + 3;
    let host = variable[from..].split(|b| matches!(b, b'/' | b'?' | b'#')).next()?;
    let at = host.iter().rposition(|b| *b == b'@')?;
    host[..at].contains(&b':').then(|| [&variable[..from], &variable[from + at + 1..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Variables {
        Variables::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_variable_is_compared_by_its_whole_name_and_needs_a_value() {
        let names = names(&["HISTFILE", "ENV", "A=B", ""]);
        let list = ["HISTFILE=/dev/null", "HISTFILESIZE=0", "ENV=", "ENV", "ENVY=1", "A=B", "=x"];
        let mut env = Environment { list: list.iter().map(|v| Text::from(*v)).collect(), truncated: false };
        names.retain(&mut env);
        assert_eq!(env.list, ["HISTFILE=/dev/null", "ENV="].map(Text::from));
    }

    #[test]
    fn passwords_in_addresses_are_not_told() {
        let plain =
            |variable: &str| without_password(variable.as_bytes()).map(|v| String::from_utf8_lossy(&v).into_owned());
        assert_eq!(plain("HTTP_PROXY=http://me:p@ss@proxy:8080/x").as_deref(), Some("HTTP_PROXY=http://proxy:8080/x"));
        assert_eq!(plain("DOCKER_HOST=ssh://me@host"), None);
        assert_eq!(plain("A=http://host/a:b@c"), None);
        assert_eq!(plain("A=b"), None);
    }

    #[test]
    fn the_programs_compare_eight_bytes_with_the_sign_that_ends_a_short_name() {
        let words = |name| names(&[name]).beginnings().into_iter().map(Variable::to_le_bytes).collect::<Vec<_>>();
        assert_eq!(words("LD_PRELOAD"), [*b"LD_PRELO"]);
        assert_eq!(words("LD_AUDIT"), [*b"LD_AUDIT"]);
        assert_eq!(words("PATHSEP"), [*b"PATHSEP="]);
        assert_eq!(words("ENV"), [*b"ENV=\0\0\0\0"]);
    }
}
