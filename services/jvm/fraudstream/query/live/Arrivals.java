package fraudstream.query.live;

import fraudstream.query.expressions.ExpressionList;
import fraudstream.query.expressions.Scope;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Packed;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.sql.Row;
import scala.Tuple2;

/**
 * Reads records: each event gets its time and goes to its part of the state; at the end each part gets a report. A row
 * without a topic is the clock's.
 */
final class Arrivals implements PairFlatMapFunction<Iterator<Row>, byte[], byte[]> {
    private static final long serialVersionUID = 1L;
    private static final int SPREAD = 0x9e3779b9;

    private final Batch batch;

    Arrivals(Batch batch) {
        this.batch = batch;
    }

    @Override
    public Iterator<Tuple2<byte[], byte[]>> call(Iterator<Row> rows) throws IOException {
        return new Events(rows);
    }

    /** The rows as Spark takes them: it asks for each by itself. */
    private final class Events implements Iterator<Tuple2<byte[], byte[]>>, Sequencer.Taker {
        private final Iterator<Row> rows;
        private final Report report = new Report();
        private final ArrayDeque<Tuple2<byte[], byte[]>> ready = new ArrayDeque<>();
        private final Sequencer sequencer;
        private final EachRow each;
        private final List<ExpressionList> keys = new ArrayList<>();
        private final Scope scope = new Scope(1);
        private final int parts = batch.before().parts().size();
        private final boolean hasWindows = batch.job().windows() != null;
        private boolean isDone;

        Events(Iterator<Row> rows) throws IOException {
            this.rows = rows;
            LiveJob job = batch.job();
            UserFunctions functions = job.functions();
            sequencer = new Sequencer(batch, functions, report, this);
            String name = "each-" + TaskContext.getPartitionId() + "-" + TaskContext.get().taskAttemptId();
            each = job.each() == null ? null
                : new EachRow(batch, functions, new OutputRows(batch, name, report), report);
            job.inputs().forEach(input -> keys.add(new ExpressionList(input.key, functions)));
        }

        @Override
        public boolean hasNext() {
            while (ready.isEmpty() && !isDone) {
                if (rows.hasNext()) {
                    read(rows.next());
                } else {
                    finish();
                }
            }
            return !ready.isEmpty();
        }

        @Override
        public Tuple2<byte[], byte[]> next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            return ready.poll();
        }

        private void read(Row row) {
            if (row.isNullAt(0)) {
                report.tick = Math.max(report.tick, row.getLong(3) * Datetime.TICKS_PER_MICROSECOND);
                return;
            }
            sequencer.read(new Gate.Message(
                row.getString(0), row.getInt(1), row.getLong(2), row.getLong(3), (byte[]) row.get(4),
                (byte[]) row.get(5)));
        }

        @Override
        public void take(LiveJob.Input input, RowKey.Place place, long ticks, long arrival, Record record) {
            if (each != null) {
                each.take(input.name, ticks, record);
            }
            if (hasWindows) {
                byte[] key = RowKey.of(target(input, record), ticks, arrival, input.number, place);
                ready.add(new Tuple2<>(key, Packed.pack(record)));
            }
        }

        private int target(LiveJob.Input input, Record record) {
            scope.rows[0] = record;
            try {
                int hash = keys.get(input.number).key(scope).hashCode();
                return Math.floorMod(hash * SPREAD, parts);
            } catch (QueryStopped error) {
                // The engine meets the same error, and tells it.
                return 0;
            }
        }

        private void finish() {
            isDone = true;
            try {
                if (each != null) {
                    each.finish();
                }
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            sequencer.finish();
            byte[] some = report.ofLanes().toBytes();
            for (int part = 0; part < parts; part++) {
                ready.add(new Tuple2<>(RowKey.ofReport(part), part == 0 ? report.toBytes() : some));
            }
        }
    }
}
