package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.UnaryOperator;

/**
 * A join of what is joined so far, the left rows, with the rows of one more step, the right ones. Each row is kept as
 * long as it may still meet another.
 */
public final class Join extends Node<Joined> {
    private static final Comparator<Left> BY_END = Comparator.comparingLong((Left left) -> left.end)
        .thenComparingLong(left -> left.number);

    private final Intake intake;
    private final Feed<Record> feed;
    private final Scope scope;
    private final Scope rightScope;
    private final Stage first;
    private final Condition condition;
    private final Bounds bounds;
    private final Later<Joined> misses;
    private final Guard guard;

    private final Map<Key, ArrayDeque<Left>> lefts = new HashMap<>();
    private final PriorityQueue<Left> ends = new PriorityQueue<>(BY_END);
    private final Map<Key, ArrayDeque<Right>> rights = new HashMap<>();
    private final ArrayDeque<Right> oldest = new ArrayDeque<>();
    private final List<Left> coming = new ArrayList<>();
    private long number;

    /** What has to be equal, as expressions of either side, and the whole condition, which is tried in the end. */
    public record Condition(Expression on, Expression[] left, Expression[] right) {
    }

    /**
     * The time between the sources: right less {@code other} lies in the open interval (low, high). A left row's own
     * time is at most {@code spread} later than that of {@code other}. {@code place} is the right rows' source.
     */
    public record Bounds(int place, int other, long low, long high, long upper, long spread) {
        /** So much later than its time does one learn that a left row has no match. */
        public long skew() {
            return Math.max(0, high - 1 - Math.max(upper, 0));
        }
    }

    private static final class Left {
        final Joined row;
        final Key key;
        final long from;
        final long end;
        final long number;
        boolean matched;

        Left(Joined row, Key key, long from, long end, long number) {
            this.row = row;
            this.key = key;
            this.from = from;
            this.end = end;
            this.number = number;
        }
    }

    private record Right(Record row, Key key, long time) {
    }

    /** {@code misses} takes the rows of a left join; it is null for an inner one. */
    public Join(
        Intake intake, UnaryOperator<Stage> stages, Feed<Record> feed, int sources, Condition condition, Bounds bounds,
        Later<Joined> misses, Guard guard, long skew
    ) {
        super(skew);
        this.intake = intake;
        this.feed = feed;
        this.condition = condition;
        this.bounds = bounds;
        this.misses = misses;
        this.guard = guard;
        scope = new Scope(sources);
        rightScope = new Scope(sources);
        first = stages.apply(this::takeLeft);
    }

    @Override
    public void run(long moment) {
        List<Right> now = takeRights(moment);
        intake.each(moment, scope, first);
        for (Right right : now) {
            ArrayDeque<Left> earlier = right.key == null ? null : lefts.get(right.key);
            if (earlier != null) {
                earlier.forEach(left -> tryMatch(left, right, moment));
            }
        }
        coming.forEach(this::keep);
        coming.clear();
        forget(moment);
    }

    private void keep(Left left) {
        if (left.key != null) {
            lefts.computeIfAbsent(left.key, key -> new ArrayDeque<>()).add(left);
        }
        if (left.key != null || misses != null) {
            ends.add(left);
        }
    }

    private void keep(Right right) {
        rights.computeIfAbsent(right.key, key -> new ArrayDeque<>()).add(right);
        oldest.add(right);
    }

    private List<Right> takeRights(long moment) {
        List<Record> records = feed.take(moment);
        if (records.isEmpty()) {
            return List.of();
        }
        List<Right> now = new ArrayList<>(records.size());
        for (Record record : records) {
            rightScope.rows[bounds.place] = record;
            rightScope.times[bounds.place] = moment;
            rightScope.time = moment;
            try {
                Key key = keyOf(condition.right, rightScope);
                if (key != null) {
                    now.add(new Right(record, key, moment));
                }
            } catch (QueryStopped error) {
                guard.failed(error, record);
            }
        }
        now.forEach(this::keep);
        return now;
    }

    private void tryMatch(Left left, Right right, long moment) {
        try {
            match(left, right, moment);
        } catch (QueryStopped error) {
            guard.failed(error, right.row);
        }
    }

    private void takeLeft(Scope row) {
        long from = row.times[bounds.other];
        Key key = keyOf(condition.left, row);
        Left left = new Left(Joined.of(row), key, from, Math.max(row.time, from + bounds.high - 1), number++);
        ArrayDeque<Right> others = key == null ? null : rights.get(key);
        if (others != null) {
            for (Right right : others) {
                match(left, right, row.time);
            }
        }
        coming.add(left);
    }

    private void match(Left left, Right right, long moment) {
        long distance = right.time - left.from;
        if (distance <= bounds.low || distance >= bounds.high) {
            return;
        }
        left.row.restore(rightScope);
        rightScope.rows[bounds.place] = right.row;
        rightScope.times[bounds.place] = right.time;
        rightScope.time = moment;
        if (Expressions.isTrue(condition.on.value(rightScope))) {
            left.matched = true;
            give(moment);
        }
    }

    private void give(long time) {
        rightScope.time = time;
        if (misses == null) {
            rows.add(Joined.of(rightScope));
        } else {
            misses.add(time, Joined.of(rightScope));
        }
    }

    /** Lets go of rows that can meet no other after this moment. */
    private void forget(long moment) {
        while (!ends.isEmpty() && ends.peek().end <= moment) {
            Left left = ends.poll();
            if (left.key != null) {
                ArrayDeque<Left> same = lefts.get(left.key);
                same.removeFirstOccurrence(left);
                if (same.isEmpty()) {
                    lefts.remove(left.key);
                }
            }
            if (misses != null && !left.matched) {
                left.row.restore(rightScope);
                rightScope.rows[bounds.place] = null;
                rightScope.times[bounds.place] = 0;
                give(Math.max(left.row.time, left.from + bounds.upper));
            }
        }
        while (!oldest.isEmpty() && oldest.peek().time - bounds.low + bounds.spread <= moment) {
            Right right = oldest.poll();
            ArrayDeque<Right> same = rights.get(right.key);
            same.poll();
            if (same.isEmpty()) {
                rights.remove(right.key);
            }
        }
    }

    /** The values that have to be equal, or null if one of them is NULL, which equals nothing. */
    static Key keyOf(Expression[] expressions, Scope scope) {
        if (expressions.length == 0) {
            return Key.EMPTY;
        }
        Object[] values = new Object[expressions.length];
        for (int at = 0; at < values.length; at++) {
            values[at] = expressions[at].value(scope);
            if (values[at] == null) {
                return null;
            }
        }
        return new Key(values);
    }

    @Override
    public long next() {
        long next = Math.min(intake.next(), feed.next());
        return misses == null || ends.isEmpty() ? next : Math.min(next, ends.peek().end);
    }

    @Override
    public Object current() {
        return scope.rows[0];
    }

    @Override
    public void save(StateWriter to) {
        intake.save(to);
        feed.save(to);
        to.number(number);
        List<Left> kept = new ArrayList<>(ends);
        kept.sort(Comparator.comparingLong(left -> left.number));
        to.each(kept, left -> {
            Joined.save(to, left.row);
            to.flag(left.key != null);
            if (left.key != null) {
                to.key(left.key);
            }
            to.number(left.from);
            to.number(left.end);
            to.number(left.number);
            to.flag(left.matched);
        });
        to.each(oldest, right -> {
            to.value(right.row);
            to.key(right.key);
            to.number(right.time);
        });
    }

    @Override
    public void load(StateReader from) {
        intake.load(from);
        feed.load(from);
        number = from.number();
        from.each(() -> {
            Joined row = Joined.load(from);
            Key key = from.flag() ? from.key() : null;
            Left left = new Left(row, key, from.number(), from.number(), from.number());
            left.matched = from.flag();
            keep(left);
        });
        from.each(() -> keep(new Right(from.record(), from.key(), from.number())));
    }
}
