package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.engine.Engine;
import fraudstream.query.values.Datetime;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A query on topics, as the function that a streaming query calls for each batch. Rows have the columns topic,
 * partition, offset, the broker's time in microseconds since 1970 in UTC, key and value, in this order; those of one
 * partition come in the order of their offsets, in one partition of the data set. A row without a topic is the clock's.
 *
 * <p>A batch that is repeated begins with the state, the reference data and the time of its first attempt, and puts out
 * the same.
 */
public final class LiveQuery implements VoidFunction2<Dataset<Row>, Long> {
    private static final long serialVersionUID = 1L;
    private static final StructType RECORD = new StructType()
        .add("topic", DataTypes.StringType).add("key", DataTypes.BinaryType).add("value", DataTypes.BinaryType);

    private final transient LiveJob job;
    private final transient Map<String, String> sink;
    private final transient Versions versions;
    private final transient Progress progress;
    // Times of a step's rows may lie so far behind the events'.
    private final long skew;
    private final long start;

    /**
     * {@code sink}: the options of Spark's Kafka sink, which are in no file. Throws {@link StateRefused} for a
     * checkpoint that is another query's, {@code PlanRefused}.
     */
    public LiveQuery(String job, Map<String, String> sink) throws IOException {
        this.job = new LiveJob(job);
        this.sink = Map.copyOf(sink);
        versions = Versions.of(this.job);
        progress = new Progress(this.job);
        // Who begins with the topic's first records may meet those of any time.
        start = this.job.tree().get("from_now").asBoolean()
            ? System.currentTimeMillis() * Datetime.TICKS_PER_MILLISECOND : Long.MIN_VALUE;
        skew = Math.max(skew(this.job.each()), skew(this.job.windows()));
    }

    private long skew(JsonNode plan) {
        return plan == null ? 0 : new Engine(plan, job.functions(), (output, ticks, row) -> { }).skew();
    }

    @Override
    public void call(Dataset<Row> rows, Long number) throws IOException {
        Version before = versions.of(number);
        Clocks clocks = before.clocks();
        clocks.begin(job);
        Batch batch = versions.begin(
            before, start, System.currentTimeMillis() * Datetime.TICKS_PER_MILLISECOND);
        Version plain = new Version(before.number(), clocks.forState(), before.references(), before.parts());
        Batch ofState = new Batch(
            job, batch.checkpoint(), plain, batch.references(), batch.processed(), batch.moved());
        List<byte[]> told = rows.toJavaRDD().mapPartitionsToPair(new Arrivals(batch))
            .repartitionAndSortWithinPartitions(RowKey.byTarget(versions.parts), RowKey.ORDER)
            .mapPartitions(new Advance(ofState)).collect();
        List<Report> reports = told.stream().map(Report::of).toList();
        Report.Stop stop = reports.stream().map(report -> report.stop).filter(one -> one != null)
            .min(Comparator.comparingLong(Report.Stop::ticks)).orElse(null);
        if (stop != null) {
            progress.stop(stop);
            throw new IllegalStateException("The query stopped: " + stop.message());
        }
        requireOneReader(reports);
        deliver(rows.sparkSession(), reports);
        Clocks after = batch.after(clocks, reports);
        Version next = new Version(number + 1, after, kept(batch.references(), after), parts(before, reports));
        // The files of what came out go with the version.
        progress.add(reports, next);
        versions.keep(next, before);
        ReferenceData.forget(batch.stateFolder(), batch.references());
    }

    /** A lane that two tasks read would have two histories. */
    private void requireOneReader(List<Report> reports) {
        Set<Lane> known = new HashSet<>();
        for (Report report : reports) {
            for (Lane lane : report.lanes.keySet()) {
                if (!known.add(lane)) {
                    throw new IllegalStateException(
                        "Two tasks read the partition " + lane.partition() + " of "
                        + job.inputs().get(lane.input()).topic + "; its records have to come in one order.");
                }
            }
        }
    }

    /** Without versions that no row meets any more: each step's time may lie as far behind as the longest window. */
    private List<Version.Reference> kept(List<Version.Reference> references, Clocks after) {
        long oldest = after.watermark == Long.MIN_VALUE ? Long.MIN_VALUE
            : after.watermark - skew;
        List<Version.Reference> kept = new ArrayList<>();
        for (int at = 0; at < references.size(); at++) {
            Version.Reference one = references.get(at);
            boolean isPast = references.subList(at + 1, references.size()).stream()
                .anyMatch(later -> later.input().equals(one.input()) && later.effective() <= oldest);
            if (!isPast) {
                kept.add(one);
            }
        }
        return kept;
    }

    private List<Version.Part> parts(Version before, List<Report> reports) {
        if (job.windows() == null) {
            return before.parts();
        }
        List<Version.Part> parts = new ArrayList<>();
        for (Report report : reports) {
            if (report.part != null) {
                parts.add(report.part);
            }
        }
        if (parts.size() != before.parts().size()) {
            throw new IllegalStateException("Only " + parts.size() + " parts of the state came back.");
        }
        return parts;
    }

    private void deliver(SparkSession spark, List<Report> reports) {
        List<LiveJob.Output> outputs = job.outputs();
        List<String> files = new ArrayList<>();
        for (Report report : reports) {
            boolean isBound = report.rows.keySet().stream().anyMatch(output -> outputs.get(output).topic() != null);
            if (isBound || report.setAside > 0 && job.rejectedTopic() != null) {
                files.addAll(report.files);
            }
        }
        if (files.isEmpty()) {
            return;
        }
        JavaRDD<Row> records = new JavaSparkContext(spark.sparkContext()).parallelize(files, files.size())
            .flatMap(new Records(outputs, job.rejectedTopic()));
        spark.createDataFrame(records, RECORD).write().format("kafka").options(sink).save();
    }

    /** What happened since the last call, as JSON: {@code fraudstream.asaql.live.progress} says what it holds. */
    public String progress() {
        return progress.drain();
    }

    /** Lets go of what is in memory; the files are all that is needed to go on. */
    public void close() {
        Held.drop(versions.checkpoint);
    }

    /** The rows of files as records of their topics. */
    private static final class Records implements FlatMapFunction<String, Row> {
        private static final long serialVersionUID = 1L;
        private final ArrayList<String> topics = new ArrayList<>();
        private final String rejected;

        Records(List<LiveJob.Output> outputs, String rejected) {
            outputs.forEach(output -> topics.add(output.topic()));
            this.rejected = rejected;
        }

        @Override
        public Iterator<Row> call(String file) throws IOException {
            OutputRows.Reader rows = new OutputRows.Reader(file);
            return new Ahead<>() {
                @Override
                protected Row read() {
                    while (rows.hasNext()) {
                        OutputRows.Row row = rows.next();
                        String topic = row.output() == OutputRows.ASIDE ? rejected : topics.get(row.output());
                        if (topic != null) {
                            return RowFactory.create(topic, row.key(), row.value());
                        }
                    }
                    return null;
                }
            };
        }
    }
}
