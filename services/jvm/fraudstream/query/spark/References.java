package fraudstream.query.spark;

import fraudstream.query.values.Record;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The reference data of the run that is under way, read once in each Java process. */
final class References {
    private static Map<String, List<Record>> rows = Map.of();
    private static String ofFolder = "";

    private References() {
    }

    /** The rows by the input's name; what cannot be read goes to the report of whoever comes first. */
    static synchronized Map<String, List<Record>> of(Job job, TaskReport report) throws IOException {
        if (!ofFolder.equals(job.folder())) {
            Map<String, List<Record>> read = new HashMap<>();
            List<Job.Input> inputs = job.inputs("references");
            inputs.forEach(input -> read.put(input.name, new ArrayList<>()));
            Reading reading = new Reading(job, inputs, Part.of(inputs).iterator(), report);
            while (reading.next()) {
                read.get(inputs.get(reading.input()).name).add(reading.record());
            }
            rows = read;
            ofFolder = job.folder();
        }
        return rows;
    }
}
