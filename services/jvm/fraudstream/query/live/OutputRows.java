package fraudstream.query.live;

import fraudstream.query.engine.Engine;
import fraudstream.query.engine.Output;
import fraudstream.query.operators.Guard;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Json;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a task puts out in a batch, in a file that is of use until the batch is done. */
final class OutputRows implements Output, Guard.Aside {
    /** The number of what is set aside, among those of the outputs. */
    static final int ASIDE = -1;
    private static final int BUFFER = 1 << 16;
    private static final int NO_KEY = -1;
    private static final String CLOCK = "scored_at";

    private final LiveJob job;
    private final List<LiveJob.Output> outputs;
    private final Path file;
    private final Report report;
    private final Gate gate;
    private final String clock;
    private final StringBuilder json = new StringBuilder();
    private DataOutputStream to;

    /** A row: its output's number, its time in ticks, its key, which may be null, and its JSON in UTF-8. */
    record Row(int output, long ticks, byte[] key, byte[] value) {
    }

    /** For a batch, in a file of this name. */
    OutputRows(Batch batch, String name, Report report) {
        job = batch.job();
        this.report = report;
        outputs = job.outputs();
        file = batch.outputFolder().resolve(name);
        clock = new Datetime(batch.processed()).toMicroseconds();
        gate = job.setsAside() ? Messages.gate(job) : null;
    }

    @Override
    public void take(String output, long ticks, Record row) {
        int number = job.output(output);
        json.setLength(0);
        Json.write(json, outputs.get(number).isDecided() ? decided(row) : row);
        String column = outputs.get(number).key();
        Object key = column == null ? null : row.get(column);
        add(new Row(number, ticks, key == null ? null : bytes(text(key)), bytes(json.toString())));
        report.rows.merge(number, 1L, Long::sum);
    }

    /**
     * A decision as the readers of {@code scored} know it: scored when its batch was, and without the columns that have
     * no value, as an event is that lacks these fields.
     */
    private Record decided(Record row) {
        Record decided = new Record(row.size() + 1);
        for (int column = 0; column < row.size(); column++) {
            Object value = row.value(column);
            if (value != null) {
                decided.put(
                    row.name(column), value instanceof Datetime ? ((Datetime) value).toMicroseconds() : value);
            }
        }
        decided.put(CLOCK, clock);
        return decided;
    }

    private static String text(Object key) {
        return key instanceof Record || key instanceof List ? Json.text(key) : Casts.text(key);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void take(QueryStopped error, Record row) {
        Gate.Message message = Messages.of(row);
        String reason = error.reason();
        byte[] value = gate == null
            ? Messages.plainRejection(message, reason, row == null ? null : row.toString())
            : message != null ? gate.rejected(message, reason) : gate.rejected(Json.text(row), reason);
        add(new Row(ASIDE, 0, message == null ? null : message.key(), value));
        report.addAside(message, reason, row == null ? null : row.toString());
    }

    private void add(Row row) {
        try {
            if (to == null) {
                Files.createDirectories(file.getParent());
                to = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), BUFFER));
            }
            to.writeInt(row.output);
            to.writeLong(row.ticks);
            to.writeInt(row.key == null ? NO_KEY : row.key.length);
            if (row.key != null) {
                to.write(row.key);
            }
            to.writeInt(row.value.length);
            to.write(row.value);
        } catch (IOException error) {
            throw new UncheckedIOException("The results cannot be kept: " + error.getMessage(), error);
        }
    }

    /** Ends the file, and hands it to the report. */
    void finish() throws IOException {
        if (to != null) {
            to.close();
            report.files.add(file.toString());
        }
    }

    /** Tells the report of the error that ends the query. */
    static void stop(Report report, QueryStopped error, Engine engine, long ticks) {
        Record failed = engine == null ? null : engine.failed();
        String record = failed == null ? null : Report.cut(failed.toString());
        report.stop = new Report.Stop(error.getMessage(), error.line, error.column, ticks, record);
    }

    /** The rows of a file, one after the other. */
    static final class Reader extends Ahead<Row> implements Closeable {
        private final DataInputStream from;

        Reader(String file) throws IOException {
            from = new DataInputStream(new BufferedInputStream(Files.newInputStream(Path.of(file)), BUFFER));
        }

        @Override
        protected Row read() throws IOException {
            byte[] output = from.readNBytes(Integer.BYTES);
            if (output.length == 0) {
                from.close();
                return null;
            }
            long ticks = from.readLong();
            int length = from.readInt();
            byte[] key = length == NO_KEY ? null : from.readNBytes(length);
            return new Row(ByteBuffer.wrap(output).getInt(), ticks, key, from.readNBytes(from.readInt()));
        }

        @Override
        public void close() throws IOException {
            from.close();
        }
    }
}
