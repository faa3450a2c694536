//! Strongly connected components of a graph given as lists: who waits for whom in a circle, and in which order the rest
//! can be walked so that a blocker comes before its waiters.
//!
//! Tarjan's algorithm (SIAM J. Computing 1, 1972), without recursion: a queue may be thousands deep.

/// The components, blockers before waiters.
#[derive(Debug, Clone, Default)]
pub(super) struct Components {
    /// Members of each, ascending.
    members: Vec<Vec<usize>>,
    /// By node: its component.
    of: Vec<usize>,
}

const UNSEEN: usize = usize::MAX;

impl Components {
    /// Reads `ahead`: by node, the nodes that it waits for.
    pub(super) fn of(ahead: &[Vec<usize>]) -> Self {
        let count = ahead.len();
        let mut found = Self { members: Vec::new(), of: vec![UNSEEN; count] };
        let mut index = vec![UNSEEN; count];
        let mut low = vec![UNSEEN; count];
        let mut stack: Vec<usize> = Vec::new();
        let mut next = 0;
        for start in 0..count {
            if get(&index, start) != UNSEEN {
                continue;
            }
            // A node and how many of its edges were followed.
            let mut open = vec![(start, 0)];
            while let Some((node, edge)) = open.pop() {
                if edge == 0 {
                    put(&mut index, node, next);
                    put(&mut low, node, next);
                    next += 1;
                    stack.push(node);
                }
                if let Some(to) = ahead.get(node).and_then(|list| list.get(edge)) {
                    open.push((node, edge + 1));
                    if get(&index, *to) == UNSEEN {
                        open.push((*to, 0));
                    } else if get(&found.of, *to) == UNSEEN {
                        let least = get(&low, node).min(get(&index, *to));
                        put(&mut low, node, least);
                    }
                    continue;
                }
                if get(&low, node) == get(&index, node) {
                    found.close(&mut stack, node);
                }
                if let Some((parent, _)) = open.last() {
                    let least = get(&low, *parent).min(get(&low, node));
                    put(&mut low, *parent, least);
                }
            }
        }
        found
    }

    fn close(&mut self, stack: &mut Vec<usize>, root: usize) {
        let mut members = Vec::new();
        while let Some(node) = stack.pop() {
            put(&mut self.of, node, self.members.len());
            members.push(node);
            if node == root {
                break;
            }
        }
        members.sort_unstable();
        self.members.push(members);
    }

    /// All of them, blockers before their waiters.
    pub(super) fn all(&self) -> &[Vec<usize>] {
        &self.members
    }

    /// The component of a node.
    pub(super) fn number(&self, node: usize) -> usize {
        get(&self.of, node)
    }

    /// Those of more than one member.
    pub(super) fn circles(&self) -> impl Iterator<Item = &Vec<usize>> {
        self.members.iter().filter(|m| m.len() > 1)
    }
}

fn get(list: &[usize], at: usize) -> usize {
    list.get(at).copied().unwrap_or(UNSEEN)
}

fn put(list: &mut [usize], at: usize, value: usize) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_one_component_and_blockers_come_first() {
        // 0 ↔ 1, 2 waits for 1, 3 for 2 and for itself by way of nobody.
        let c = Components::of(&[vec![1], vec![0], vec![1], vec![2]]);
        assert_eq!(c.all(), [vec![0, 1], vec![2], vec![3]]);
        assert_eq!(c.circles().collect::<Vec<_>>(), [&vec![0, 1]]);
        assert_eq!((c.number(0), c.number(1), c.number(3)), (0, 0, 2));
    }

    #[test]
    fn a_queue_of_a_hundred_thousand_needs_no_stack() {
        let ahead: Vec<Vec<usize>> = (0..100_000).map(|i| if i == 0 { vec![] } else { vec![i - 1] }).collect();
        assert_eq!(Components::of(&ahead).all().len(), 100_000);
    }
}
