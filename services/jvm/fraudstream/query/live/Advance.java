package fraudstream.query.live;

import fraudstream.query.values.QueryStopped;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import scala.Tuple2;

/** Takes a part of the state from one version to the next, with the rows of a batch. */
final class Advance implements FlatMapFunction<Iterator<Tuple2<byte[], byte[]>>, byte[]> {
    private static final long serialVersionUID = 1L;
    private static final long LEAST_SNAPSHOT_BYTES = 1 << 18;
    private static final int MOST_LOGS = 60;

    private final Batch batch;

    Advance(Batch batch) {
        this.batch = batch;
    }

    @Override
    public Iterator<byte[]> call(Iterator<Tuple2<byte[], byte[]>> sorted) throws IOException {
        int number = TaskContext.getPartitionId();
        List<Report> reports = new ArrayList<>();
        Rows rows = new Rows(sorted, reports);
        long watermark = batch.after(batch.before().clocks(), reports).watermark;
        Report own = new Report();
        if (batch.job().windows() != null) {
            advance(number, rows, watermark, own);
        }
        List<byte[]> told = new ArrayList<>();
        told.add(own.toBytes());
        if (number == 0) {
            reports.forEach(report -> told.add(report.toBytes()));
        }
        return told.iterator();
    }

    private void advance(int number, Rows rows, long watermark, Report report) throws IOException {
        Path folder = batch.stateFolder();
        Version before = batch.before();
        StatePart part = Held.take(batch.checkpoint(), number, before.number());
        part = part != null ? part : StatePart.load(batch.job(), folder, before, number);
        OutputRows outputs = new OutputRows(
            batch, "part-" + number + "-" + TaskContext.get().taskAttemptId(), report);
        part.know(batch.references());
        part.putOut(outputs);
        String name = number + "-" + before.number();
        try (StateFile.Writer log = new StateFile.Writer(folder, name + ".log")) {
            rows.write = log.out;
            try {
                part.apply(rows, watermark);
            } catch (QueryStopped error) {
                OutputRows.stop(report, error, part.engine, part.now);
                return;
            }
            outputs.finish();
            part.tellHeld(report);
            report.part = kept(before.parts().get(number), part, log, watermark, number);
        }
        part.putOut(null);
        Held.put(batch.checkpoint(), number, before.number() + 1, part);
    }

    /** The files of the next version: a log more, or a snapshot once the logs have outgrown the last one. */
    private Version.Part kept(
        Version.Part before, StatePart part, StateFile.Writer log, long watermark, int number
    ) throws IOException {
        long snapshotBytes = before.snapshot() == null ? 0 : before.snapshot().bytes();
        long least = batch.job().tree().path("snapshot_bytes").asLong(Math.max(snapshotBytes, LEAST_SNAPSHOT_BYTES));
        long next = batch.before().number() + 1;
        if (before.logBytes() + log.out.size() >= least || before.logs().size() >= MOST_LOGS) {
            try (StateFile.Writer snapshot = new StateFile.Writer(
                batch.stateFolder(), number + "-" + next + ".snapshot")) {
                part.save(snapshot.out);
                return new Version.Part(snapshot.keep(), List.of());
            }
        }
        if (log.out.size() == 0) {
            return before;
        }
        List<Version.Log> logs = new ArrayList<>(before.logs());
        logs.add(new Version.Log(watermark, log.keep()));
        return new Version.Part(before.snapshot(), logs);
    }

    /** The rows behind the reports; each is written as it is taken. */
    private static final class Rows implements Iterator<StatePart.Entry> {
        private final Iterator<Tuple2<byte[], byte[]>> sorted;
        private Tuple2<byte[], byte[]> next;
        private DataOutputStream write;

        Rows(Iterator<Tuple2<byte[], byte[]>> sorted, List<Report> reports) {
            this.sorted = sorted;
            step();
            while (next != null && RowKey.isReport(next._1())) {
                reports.add(Report.of(next._2()));
                step();
            }
        }

        private void step() {
            next = sorted.hasNext() ? sorted.next() : null;
        }

        @Override
        public boolean hasNext() {
            return next != null;
        }

        @Override
        public StatePart.Entry next() {
            StatePart.Entry entry = new StatePart.Entry(next._1(), next._2());
            try {
                entry.write(write);
            } catch (IOException error) {
                throw new UncheckedIOException("The state cannot be written: " + error.getMessage(), error);
            }
            step();
            return entry;
        }
    }
}
