package fraudstream.query.live;

import fraudstream.query.engine.Engine;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Record;
import java.io.IOException;

/** Runs the outputs whose rows are computed each by itself, where the records are read: they wait for no watermark. */
final class EachRow {
    private final OutputRows outputs;
    private final Report report;
    private final Engine engine;

    EachRow(Batch batch, UserFunctions functions, OutputRows outputs, Report report) throws IOException {
        this.outputs = outputs;
        this.report = report;
        engine = new Engine(batch.job().each(), functions, outputs);
        if (batch.job().setsAside()) {
            engine.setAside(outputs);
        }
        for (Version.Reference reference : batch.references()) {
            ReferenceData.give(engine, batch.stateFolder(), reference);
        }
    }

    void take(String input, long ticks, Record record) {
        if (report.stop != null) {
            return;
        }
        try {
            engine.alone(input, ticks, record);
        } catch (QueryStopped error) {
            OutputRows.stop(report, error, engine, ticks);
        }
    }

    void finish() throws IOException {
        outputs.finish();
    }
}
