package fraudstream.query.live;

import fraudstream.query.engine.Engine;
import fraudstream.query.engine.Output;
import fraudstream.query.operators.Guard;
import fraudstream.query.spark.SortKey;
import fraudstream.query.values.Packed;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** A part of a query's state in memory: an engine, and the rows that wait for the watermark. */
final class StatePart implements Output, Guard.Aside {
    final Engine engine;
    /** The tick of the row that came last, for the report of an error. */
    long now;
    private final List<LiveJob.Input> inputs;
    private final Path folder;
    private Deque<Entry> waiting = new ArrayDeque<>();
    private final Set<String> references = new HashSet<>();
    // Null while what came out before comes out again.
    private OutputRows outputs;

    /** A row with its place among all, packed. */
    record Entry(byte[] key, byte[] row) {
        static Entry read(DataInputStream from) throws IOException {
            byte[] key = from.readNBytes(RowKey.BYTES);
            if (key.length == 0) {
                return null;
            }
            int length = from.readInt();
            byte[] row = from.readNBytes(length);
            if (row.length < length) {
                throw new EOFException();
            }
            return new Entry(key, row);
        }

        void write(DataOutputStream to) throws IOException {
            to.write(key);
            to.writeInt(row.length);
            to.write(row);
        }
    }

    private StatePart(LiveJob job, Path folder) {
        inputs = job.inputs();
        this.folder = folder;
        engine = new Engine(job.windows(), job.functions(), this);
        if (job.setsAside()) {
            engine.setAside(this);
        }
    }

    /** The state of a version, from its files. Throws {@link StateRefused}. */
    static StatePart load(LiveJob job, Path folder, Version version, int number) throws IOException {
        StatePart part = new StatePart(job, folder);
        part.know(version.references());
        Version.Part files = version.parts().get(number);
        if (files.snapshot() != null) {
            part.load(files.snapshot().open(folder));
        }
        for (Version.Log log : files.logs()) {
            try (DataInputStream from = log.file().open(folder)) {
                part.apply(new Entries(from), log.watermark());
            }
        }
        // Batches without a row for it have no log.
        part.apply(Collections.emptyIterator(), version.clocks().watermark);
        return part;
    }

    /** Takes versions of reference data in that are new to it. */
    void know(List<Version.Reference> known) throws IOException {
        for (Version.Reference reference : known) {
            if (references.add(reference.file().name())) {
                ReferenceData.give(engine, folder, reference);
            }
        }
    }

    /** Rows put out from now on go there. */
    void putOut(OutputRows to) {
        outputs = to;
    }

    /** Takes rows in their order; those below the watermark enter the query now. Throws {@link QueryStopped}. */
    void apply(Iterator<Entry> fresh, long watermark) {
        Deque<Entry> left = new ArrayDeque<>();
        Entry next = fresh.hasNext() ? fresh.next() : null;
        while (next != null || !waiting.isEmpty()) {
            boolean isOld = next == null
                || !waiting.isEmpty() && RowKey.ORDER.compare(waiting.peek().key, next.key) <= 0;
            Entry first = isOld ? waiting.poll() : next;
            if (!isOld) {
                next = fresh.hasNext() ? fresh.next() : null;
            }
            if (SortKey.ticks(first.key) < watermark) {
                push(first);
            } else {
                left.add(first);
            }
        }
        waiting = left;
        advance(watermark);
    }

    /** Tells of each lane the first record that waits for the watermark. */
    void tellHeld(Report report) {
        for (Entry entry : waiting) {
            RowKey.Place place = RowKey.place(entry.key);
            report.held.merge(new Lane(RowKey.input(entry.key), place.partition()), place.offset(), Math::min);
        }
    }

    private void push(Entry entry) {
        now = SortKey.ticks(entry.key);
        engine.push(inputs.get(RowKey.input(entry.key)).name, now, (Record) Packed.unpack(entry.row));
    }

    private void advance(long watermark) {
        if (watermark != Long.MIN_VALUE) {
            now = Math.max(now, watermark - 1);
            engine.advance(watermark - 1);
        }
    }

    void save(DataOutputStream to) throws IOException {
        to.writeInt(waiting.size());
        for (Entry entry : waiting) {
            entry.write(to);
        }
        engine.save(to);
    }

    private void load(DataInputStream from) throws IOException {
        for (int left = from.readInt(); left > 0; left--) {
            waiting.add(Entry.read(from));
        }
        engine.load(from);
    }

    @Override
    public void take(String output, long ticks, Record row) {
        if (outputs != null) {
            outputs.take(output, ticks, row);
        }
    }

    @Override
    public void take(QueryStopped error, Record row) {
        if (outputs != null) {
            outputs.take(error, row);
        }
    }

    /** The rows of a log. */
    private static final class Entries extends Ahead<Entry> {
        private final DataInputStream from;

        Entries(DataInputStream from) {
            this.from = from;
        }

        @Override
        protected Entry read() throws IOException {
            return Entry.read(from);
        }
    }
}
