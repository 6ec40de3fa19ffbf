package fraudstream.query.windows;

import fraudstream.query.aggregates.Accumulator;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Session windows, one timeline for each key of the window's own PARTITION BY. A session ends when no row came for the
 * timeout, or at a check of its duration. Checks stand at multiples of the longest duration; the rule which of them
 * ends a session is that of Microsoft's library Trill, which the service runs on: the second row of a session decides,
 * and the first row of a timeline's first session. A key's timeline outlives its sessions, therefore, by the longest
 * time that the language knows.
 */
final class Session extends Window {
    private static final long NONE = Long.MAX_VALUE;
    private static final long REMEMBERED = 7 * 24 * 3600 * Datetime.TICKS_PER_SECOND;
    private static final Comparator<Check> BY_TIME = Comparator.comparingLong((Check check) -> check.time)
        .thenComparingLong(check -> check.timeline.number);

    private final long timeout;
    private final long most;
    private final Alignment checks;
    private final ExpressionList partition;
    private final Map<Key, Timeline> timelines = new HashMap<>();
    private final PriorityQueue<Check> waiting = new PriorityQueue<>(BY_TIME);
    private long number;
    private long swept = Long.MIN_VALUE;

    /** Rows that know of each other: the open session's groups, if there is one. */
    private static final class Timeline {
        final Key key;
        final long number;
        final Map<Key, Accumulator[]> groups = new LinkedHashMap<>();
        long last;
        /** The check that ends the session; NONE before a row has decided. */
        long check = NONE;
        /** Whether the session began because a check ended the one before, with activity going on. */
        boolean cut;
        /** Whether the check is still to be decided, by the session's second row. */
        boolean undecided;
        /** When the timeline is looked at next. */
        long wake = NONE;

        Timeline(Key key, long number) {
            this.key = key;
            this.number = number;
        }

        /** Whether no session is open, and so much time has gone by that a further one counts as the first. */
        boolean isForgotten(long moment) {
            return groups.isEmpty() && last + REMEMBERED <= moment;
        }
    }

    /** Of a timeline's checks, only the one of its {@code wake} counts. */
    private record Check(long time, Timeline timeline) {
    }

    /** {@code most} is the longest duration, or {@code Long.MAX_VALUE} for none. */
    Session(Aggregate[] aggregates, Record label, long timeout, long most, ExpressionList partition) {
        super(aggregates, label);
        this.timeout = timeout;
        this.most = most;
        this.partition = partition;
        checks = most == NONE ? null : new Alignment(most, 0);
    }

    @Override
    void open(long moment, Results results) {
        while (!waiting.isEmpty() && waiting.peek().time <= moment) {
            Check check = waiting.poll();
            if (check.time == check.timeline.wake) {
                check.timeline.wake = NONE;
                check(check.timeline, moment, results);
            }
        }
        sweep(moment);
    }

    /** Lets go of forgotten timelines, now and then: what a row finds does not depend on when. */
    private void sweep(long moment) {
        if (swept == Long.MIN_VALUE) {
            swept = moment;
        } else if (partition.size() > 0 && moment - swept >= REMEMBERED) {
            swept = moment;
            timelines.values().removeIf(timeline -> timeline.isForgotten(moment));
        }
    }

    private void check(Timeline timeline, long moment, Results results) {
        long idle = timeline.last + timeout;
        if (!timeline.groups.isEmpty()) {
            long end = Math.min(idle, timeline.check);
            if (end > moment) {
                wake(timeline, end);
                return;
            }
            timeline.groups.forEach((group, states) -> give(results, group, states));
            timeline.groups.clear();
            timeline.cut = true;
            timeline.undecided = true;
            timeline.check = NONE;
        }
        if (idle > moment) {
            wake(timeline, idle);
            return;
        }
        timeline.cut = false;
    }

    private void wake(Timeline timeline, long time) {
        if (time < timeline.wake) {
            timeline.wake = time;
            waiting.add(new Check(time, timeline));
        }
    }

    @Override
    void add(Key group, Object[] samples, Scope row) {
        Timeline timeline = timeline(row);
        if (timeline.undecided && !timeline.groups.isEmpty()) {
            decide(timeline, row.time);
        }
        timeline.last = row.time;
        wake(timeline, Math.min(row.time + timeout, timeline.check));
        Accumulator[] states = timeline.groups.get(group);
        if (states == null) {
            states = make();
            timeline.groups.put(group, states);
        }
        add(states, samples);
    }

    private void decide(Timeline timeline, long time) {
        timeline.undecided = false;
        if (checks != null) {
            long floor = checks.floor(time);
            timeline.check = floor + (timeline.cut || floor == time ? most : 2 * most);
        }
    }

    private Timeline timeline(Scope row) {
        Key key = partition.key(row);
        Timeline timeline = timelines.get(key);
        if (timeline == null || partition.size() > 0 && timeline.isForgotten(row.time)) {
            timeline = new Timeline(key, number++);
            timelines.put(key, timeline);
            decide(timeline, row.time);
        }
        return timeline;
    }

    @Override
    long next() {
        return waiting.isEmpty() ? Long.MAX_VALUE : waiting.peek().time;
    }

    @Override
    public void save(StateWriter to) {
        to.number(number);
        to.each(timelines.values(), timeline -> {
            to.key(timeline.key);
            to.number(timeline.number);
            to.number(timeline.last);
            to.number(timeline.check);
            to.flag(timeline.cut);
            to.flag(timeline.undecided);
            to.number(timeline.wake);
            save(to, timeline.groups);
        });
    }

    @Override
    public void load(StateReader from) {
        number = from.number();
        from.each(() -> {
            Timeline timeline = new Timeline(from.key(), from.number());
            timeline.last = from.number();
            timeline.check = from.number();
            timeline.cut = from.flag();
            timeline.undecided = from.flag();
            long wake = from.number();
            load(from, timeline.groups);
            timelines.put(timeline.key, timeline);
            wake(timeline, wake);
        });
    }
}
