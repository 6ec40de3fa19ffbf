package fraudstream.query.spark;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.input.Files;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.CollectionAccumulator;

/** Runs a query on files to its end. */
public final class QueryRun {
    private static final int MOST_TOLD = 20;
    private static final int MOST_CHARACTERS = 1000;
    private static final int BUFFER = 1 << 16;

    private final JavaSparkContext spark;
    private final Job job;
    private final List<Job.Input> streams;
    private final List<Job.Input> references;

    private QueryRun(JavaSparkContext spark, Job job) {
        this.spark = spark;
        this.job = job;
        streams = job.inputs("streams");
        references = job.inputs("references");
    }

    /**
     * Runs a job, which is JSON: the plan, the inputs' files, whether rows are computed each by itself. The answer is
     * JSON, too: the outputs' files and rows, the records read and dropped, and the error that ended the query, if any.
     */
    public static String run(JavaSparkContext spark, String job) throws IOException {
        return new QueryRun(spark, new Job(job)).run();
    }

    private String run() throws IOException {
        long began = System.nanoTime();
        TaskReport ofReferences = new TaskReport();
        References.of(job, ofReferences);
        List<Part> parts = Part.of(streams);
        CollectionAccumulator<TaskReport> told = spark.sc().collectionAccumulator();
        if (job.isStateless()) {
            runEach(parts, told);
        } else {
            runInOrder(parts, told);
        }
        List<TaskReport> reports = told.value();
        ObjectNode answer = Job.object();
        TaskReport.Stop stop = reports.stream().map(report -> report.stop).filter(one -> one != null)
            .min(Comparator.comparingLong(TaskReport.Stop::ticks)).orElse(null);
        if (stop != null) {
            answer.putObject("stop").put("message", stop.message()).put("line", stop.line())
                .put("column", stop.column()).put("record", cut(stop.record()));
        } else {
            write(reports, answer.putArray("outputs"));
        }
        ArrayNode inputs = answer.putArray("inputs");
        ArrayNode dropped = answer.putArray("told");
        tell(streams, reports, inputs, dropped);
        tell(references, List.of(ofReferences), inputs, dropped);
        answer.put("seconds", (System.nanoTime() - began) / 1e9);
        return answer.toString();
    }

    /** Rows are computed where they are read. */
    private void runEach(List<Part> parts, CollectionAccumulator<TaskReport> reports) {
        spark.parallelize(parts, parts.size()).foreachPartition(new EachPart(job, reports));
    }

    /** Rows are computed in the order of time; those that meet in the query, in one partition. */
    private void runInOrder(List<Part> parts, CollectionAccumulator<TaskReport> reports) {
        boolean isKept = streams.stream().allMatch(input -> input.key.isArray());
        int partitions = isKept ? spark.defaultParallelism() : 1;
        JavaRDD<Part> read = spark.parallelize(parts, parts.size());
        read.mapPartitionsToPair(new Shuffle(job, reports))
            .repartitionAndSortWithinPartitions(new SortKey.ByHash(partitions), new SortKey.Order())
            .foreachPartition(new InOrder(job, reports));
    }

    private void write(List<TaskReport> reports, ArrayNode outputs) throws IOException {
        List<String> names = job.outputs();
        for (int output = 0; output < names.size(); output++) {
            List<String> sorted = new ArrayList<>();
            for (TaskReport report : reports) {
                sorted.addAll(report.files.getOrDefault(output, List.of()));
            }
            Path file = Path.of(job.target(), job.fileName(output));
            long count;
            try {
                count = Merge.write(sorted, file);
            } catch (IOException error) {
                throw new IOException("the output cannot be written to " + file + " (" + error + ")", error);
            }
            outputs.addObject().put("name", names.get(output)).put("rows", count).put("file", file.toString());
        }
    }

    private static void tell(List<Job.Input> of, List<TaskReport> reports, ArrayNode inputs, ArrayNode told)
        throws IOException {
        for (int input = 0; input < of.size(); input++) {
            long count = 0;
            Map<String, Long> dropped = new TreeMap<>();
            List<TaskReport.Told> some = new ArrayList<>();
            for (TaskReport report : reports) {
                count += report.read.getOrDefault(input, 0L);
                report.dropped.getOrDefault(input, Map.of()).forEach((kind, ones) -> dropped.merge(kind, ones, Long::sum));
                for (TaskReport.Told one : report.told) {
                    if (one.part().input == input) {
                        some.add(one);
                    }
                }
            }
            ObjectNode answer = inputs.addObject().put("name", of.get(input).name).put("records", count);
            ObjectNode kinds = answer.putObject("dropped");
            dropped.forEach(kinds::put);
            some.sort(Comparator.comparingLong(one -> one.part().arrival(one.place())));
            for (TaskReport.Told one : some.subList(0, Math.min(MOST_TOLD, some.size()))) {
                told.addObject().put("input", of.get(input).name).put("file", one.part().file)
                    .put("line", line(one)).put("kind", one.kind()).put("message", one.message())
                    .put("record", cut(one.raw()));
            }
        }
    }

    private static String cut(String text) {
        return text == null || text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS) + "…";
    }

    /** The line at which a record begins; lines count from 1. */
    private static long line(TaskReport.Told one) throws IOException {
        if (one.part().isCsv()) {
            return one.place() + 1;
        }
        long line = 1;
        byte[] buffer = new byte[BUFFER];
        try (InputStream file = Files.open(Path.of(one.part().file))) {
            long left = one.place();
            while (left > 0) {
                int count = file.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (count <= 0) {
                    break;
                }
                for (int at = 0; at < count; at++) {
                    line += buffer[at] == '\n' ? 1 : 0;
                }
                left -= count;
            }
        }
        return line;
    }
}
