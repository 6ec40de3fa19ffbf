package fraudstream.query.spark;

import fraudstream.query.engine.Engine;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.python.PythonFunctions;
import fraudstream.query.scoring.RunFunctions;
import fraudstream.query.values.Json;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** An engine in a task: what it puts out goes to files of sorted rows, and the error that ends it to the report. */
final class RunningQuery {
    private final Job job;
    private final TaskReport report;
    private final Map<String, List<Record>> references;
    private final List<String> streams = new ArrayList<>();
    private final List<SortedRows> outputs = new ArrayList<>();
    private final Map<String, SortedRows> byName = new HashMap<>();
    private final StringBuilder json = new StringBuilder();
    private Engine engine;
    /** Whose calls are gathered at present; null while rows are computed for good. */
    private PythonFunctions gathering;
    private long now;

    RunningQuery(Job job, String task, TaskReport report) throws IOException {
        this.job = job;
        this.report = report;
        references = References.of(job, report);
        job.inputs("streams").forEach(input -> streams.add(input.name));
        for (String name : job.outputs()) {
            outputs.add(new SortedRows(Path.of(job.folder()), task + "-" + outputs.size()));
            byName.put(name, outputs.get(outputs.size() - 1));
        }
    }

    /** Ends what was begun, and begins anew: before the first row, and where a query may take rows of earlier times. */
    void restart() {
        finishEngine();
        if (report.stop != null) {
            return;
        }
        try {
            engine = new Engine(job.plan(), job.functions(), this::take);
            references.forEach((name, rows) -> engine.reference(name, Long.MIN_VALUE, rows));
        } catch (PlanRefused refused) {
            stop(refused.getMessage(), refused.line, refused.column, null);
        }
    }

    /** Begins a pass over rows that only gathers calls of functions in Python; false where there are none. */
    boolean beginGathering() {
        UserFunctions functions = job.functions();
        if (report.stop != null || !(functions instanceof RunFunctions run) || run.python() == null) {
            return false;
        }
        finishEngine();
        gathering = run.python();
        gathering.gather();
        try {
            engine = new Engine(job.plan(), functions, (output, ticks, row) -> { });
            references.forEach((name, rows) -> engine.reference(name, Long.MIN_VALUE, rows));
        } catch (PlanRefused refused) {
            // Which the pass for good tells.
            engine = null;
        }
        return true;
    }

    /** Asks for the results of what was gathered. */
    void endGathering() {
        finishEngine();
        gathering.fetch();
        gathering = null;
    }

    /** A row, not earlier than the one before. Does nothing once the query has stopped. */
    void push(int input, long ticks, Record row) {
        if (engine == null) {
            return;
        }
        now = ticks;
        try {
            engine.push(streams.get(input), ticks, row);
        } catch (QueryStopped error) {
            stop(error);
        }
    }

    /** Ends the query and hands the files over to the report. */
    void finish() throws IOException {
        finishEngine();
        for (int output = 0; output < outputs.size(); output++) {
            List<String> files = outputs.get(output).finish();
            if (!files.isEmpty()) {
                report.files.put(output, files);
            }
        }
    }

    private void finishEngine() {
        if (engine == null) {
            return;
        }
        try {
            engine.finish();
        } catch (QueryStopped error) {
            stop(error);
        }
        engine = null;
    }

    private void stop(QueryStopped error) {
        if (gathering != null) {
            // NULL stands for what is not known yet: the pass for good decides.
            engine = null;
            return;
        }
        Record failed = engine.failed();
        stop(error.getMessage(), error.line, error.column, failed == null ? null : failed.toString());
    }

    private void stop(String message, int line, int column, String record) {
        report.stop = new TaskReport.Stop(message, line, column, now, record);
        engine = null;
    }

    private void take(String output, long ticks, Record row) {
        SortedRows rows = byName.get(output);
        rows = rows == null ? byName.get(spelling(output)) : rows;
        json.setLength(0);
        Json.write(json, row);
        try {
            rows.add(ticks, json.toString());
        } catch (IOException error) {
            throw new UncheckedIOException("The results cannot be kept: " + error.getMessage(), error);
        }
    }

    private String spelling(String output) {
        return byName.keySet().stream().filter(output::equalsIgnoreCase).findFirst().orElseThrow();
    }
}
