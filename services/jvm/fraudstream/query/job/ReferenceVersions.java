package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.reference.Snapshots;
import fraudstream.query.reference.Snapshots.Snapshot;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.Record;
import fraudstream.query.values.Unavailable;
import fraudstream.query.values.Watch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A project's reference data for all threads: a record meets the rows that hold at its own time. The files are looked at
 * every second, so that no restart is needed and no record waits for the look. Of a path with a date and a time, what
 * holds follows from the files that are there alone; a file without a date that has changed holds from its change on.
 */
final class ReferenceVersions {
    private static final List<ReferenceVersions> WATCHED = new CopyOnWriteArrayList<>();
    private static final long LOOK_MILLIS = 1_000;
    // A file that is being written has changed just now.
    private static final long SETTLED_TICKS = 500 * Datetime.TICKS_PER_MILLISECOND;
    /** So many versions are in memory, of each input. */
    private static final int MOST_KEPT = 4;
    private static Thread watch;

    final String name;
    private final Snapshots input;
    private final JsonNode plan;
    /** What is there, by the time from which it holds; replaced as a whole. */
    private volatile NavigableMap<Long, Known> known = new TreeMap<>();
    /** Held while files are looked at and read; records wait for it only where they need rows that are not in memory. */
    private final Object reading = new Object();
    private String told = "";

    /** Rows, and the time in ticks from which they hold. */
    record Version(long effective, List<Record> rows) {
    }

    private static final class Known {
        final Snapshot snapshot;
        /** Null while its rows are not in memory. */
        volatile Version version;
        volatile long usedNanos;

        Known(Snapshot snapshot) {
            this.snapshot = snapshot;
        }
    }

    private ReferenceVersions(JsonNode described, JsonNode plan) {
        input = Snapshots.of(described);
        name = input.name();
        this.plan = plan;
    }

    /** All inputs of a plan. Throws {@link PlanRefused} where one has no file, or none that can be read. */
    static List<ReferenceVersions> of(JsonNode described, JsonNode plan) {
        List<ReferenceVersions> all = new ArrayList<>();
        for (JsonNode input : described) {
            ReferenceVersions versions = new ReferenceVersions(input, plan);
            try {
                versions.look();
            } catch (IOException error) {
                throw new PlanRefused(versions.problem(error), 0, 0);
            }
            if (versions.known.isEmpty()) {
                throw new PlanRefused("The reference data " + versions.name + " have no file: there is nothing at "
                    + versions.input.path() + ".", 0, 0);
            }
            all.add(versions);
        }
        WATCHED.addAll(all);
        if (!all.isEmpty()) {
            watch();
        }
        return all;
    }

    /** What holds at a time in ticks; before the first version, the first. Throws {@link Unavailable}. */
    Version at(long ticks) {
        try {
            return load(ticks);
        } catch (IOException gone) {
            // It may have been removed since the last look.
            try {
                look();
                return load(ticks);
            } catch (IOException error) {
                throw new Unavailable(problem(error), error);
            }
        }
    }

    private Version load(long ticks) throws IOException {
        NavigableMap<Long, Known> there = known;
        Map.Entry<Long, Known> entry = there.floorEntry(ticks);
        entry = entry == null ? there.firstEntry() : entry;
        return version(entry.getKey(), entry.getValue());
    }

    private Version version(long effective, Known wanted) throws IOException {
        wanted.usedNanos = System.nanoTime();
        Version version = wanted.version;
        if (version != null) {
            return version;
        }
        synchronized (reading) {
            if (wanted.version == null) {
                wanted.version = new Version(effective, rows(wanted.snapshot));
                forgetUnused();
            }
            return wanted.version;
        }
    }

    private List<Record> rows(Snapshot snapshot) throws IOException {
        return List.copyOf(input.rows(snapshot, plan, UserFunctions.NONE));
    }

    /** Those without a date are never let go of here: their files hold something else now. */
    private void forgetUnused() {
        List<Known> inMemory = new ArrayList<>(known.values());
        inMemory.removeIf(one -> one.version == null);
        inMemory.sort(Comparator.comparingLong(one -> one.usedNanos));
        for (Known one : inMemory.subList(0, Math.max(0, inMemory.size() - MOST_KEPT))) {
            one.version = null;
        }
    }

    private String problem(IOException error) {
        return "The reference data " + name + " cannot be read: " + error + ".";
    }

    private void look() throws IOException {
        synchronized (reading) {
            if (input.isDated()) {
                lookForDated();
            } else {
                lookForChange();
            }
        }
    }

    private void lookForDated() throws IOException {
        NavigableMap<Long, Known> before = known;
        NavigableMap<Long, Known> there = new TreeMap<>();
        for (Snapshot snapshot : input.now()) {
            Known same = before.get(snapshot.from());
            if (same != null || before.isEmpty() || isSettled(snapshot)) {
                there.put(snapshot.from(), same != null ? same : new Known(snapshot));
            }
        }
        // One that is in use and was removed holds as before.
        before.forEach((from, one) -> {
            if (one.version != null) {
                there.putIfAbsent(from, one);
            }
        });
        known = there;
        if (there.isEmpty()) {
            return;
        }
        // No record has to wait for what comes next.
        load(now());
        Map.Entry<Long, Known> next = there.higherEntry(now());
        if (next != null) {
            version(next.getKey(), next.getValue());
        }
    }

    private void lookForChange() throws IOException {
        NavigableMap<Long, Known> before = known;
        List<Snapshot> there = input.now();
        boolean isFirst = before.isEmpty();
        if (there.isEmpty() || !isFirst && !isNew(there.get(0), before)) {
            return;
        }
        Known changed = new Known(there.get(0));
        long effective = isFirst ? Long.MIN_VALUE : Math.max(changed.snapshot.changed(), before.lastKey() + 1);
        changed.version = new Version(effective, rows(changed.snapshot));
        if (!isFirst && !input.now().equals(there)) {
            // It changed while it was read: the next look finds it settled.
            return;
        }
        NavigableMap<Long, Known> after = new TreeMap<>(before);
        after.put(effective, changed);
        while (after.size() > MOST_KEPT) {
            after.pollFirstEntry();
        }
        known = after;
    }

    private static boolean isNew(Snapshot snapshot, NavigableMap<Long, Known> before) {
        return !before.lastEntry().getValue().snapshot.source().equals(snapshot.source()) && isSettled(snapshot);
    }

    private static boolean isSettled(Snapshot snapshot) {
        return now() - snapshot.changed() >= SETTLED_TICKS;
    }

    private static long now() {
        return System.currentTimeMillis() * Datetime.TICKS_PER_MILLISECOND;
    }

    private static synchronized void watch() {
        watch = watch != null ? watch
            : Watch.started("reference-data", LOOK_MILLIS, () -> WATCHED.forEach(ReferenceVersions::lookAgain));
    }

    /** What cannot be read now leaves what is known in force, and is told once. */
    private void lookAgain() {
        try {
            look();
            told = "";
        } catch (IOException | RuntimeException error) {
            String problem = "fraudstream: the reference data " + name + " stay as they are: " + error;
            if (!problem.equals(told)) {
                told = problem;
                System.err.println(problem);
            }
        }
    }
}
