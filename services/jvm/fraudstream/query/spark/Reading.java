package fraudstream.query.spark;

import fraudstream.query.input.Admission;
import fraudstream.query.input.Records;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;

/** Reads the records of parts, one after the other: each gets its time, or is dropped and told of. */
final class Reading {
    private final Job job;
    private final List<Job.Input> inputs;
    private final Iterator<Part> parts;
    private final TaskReport report;
    private Part part;
    private Records records;
    private Admission admission;
    private Record record;
    private long ticks;

    Reading(Job job, List<Job.Input> inputs, Iterator<Part> parts, TaskReport report) {
        this.job = job;
        this.inputs = inputs;
        this.parts = parts;
        this.report = report;
    }

    /** Moves to the next good record; whether there is one. */
    boolean next() throws IOException {
        try {
            while (records != null || parts.hasNext()) {
                if (records == null) {
                    open();
                }
                while (records.next()) {
                    report.addRead(part.input);
                    if (admit()) {
                        return true;
                    }
                }
                records.close();
                records = null;
            }
            return false;
        } catch (IOException error) {
            throw new IOException(part.file + " cannot be read: " + error.getMessage(), error);
        }
    }

    Record record() {
        return record;
    }

    long ticks() {
        return ticks;
    }

    /** The number of the record's input. */
    int input() {
        return part.input;
    }

    /** Where the record stands among all. */
    long arrival() {
        return part.arrival(records.place());
    }

    private void open() throws IOException {
        part = parts.next();
        admission = job.admission(inputs.get(part.input));
        records = part.records();
    }

    private boolean admit() {
        String kind = TaskReport.UNREADABLE;
        try {
            record = admission.checked(records.record(), part.isCsv());
            kind = TaskReport.WITHOUT_KEY;
            admission.requireKeys(record);
            kind = TaskReport.WITHOUT_TIME;
            ticks = admission.ticks(record, job.start());
            return true;
        } catch (BadEvent bad) {
            report.addDropped(part, records.place(), kind, bad.getMessage(), records.raw());
            return false;
        }
    }
}
