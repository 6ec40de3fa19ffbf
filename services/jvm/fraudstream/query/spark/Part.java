package fraudstream.query.spark;

import fraudstream.query.input.Files;
import fraudstream.query.input.Records;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A file of an input, or a part of one, which one task reads. */
final class Part implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final long LEAST_BYTES = 8L << 20;
    private static final int PLACE_BITS = 44;

    /** The input's number among the job's inputs. */
    final int input;
    final String file;
    private final String format;
    private final String delimiter;
    private final long start;
    private final long end;
    private final int number;

    private Part(int input, Job.Input of, String file, long start, long end, int number) {
        this.input = input;
        this.file = file;
        format = of.format;
        delimiter = of.delimiter;
        this.start = start;
        this.end = end;
        this.number = number;
    }

    /** All parts of some inputs, in the order of the inputs, their files and the places in them. */
    static List<Part> of(List<Job.Input> inputs) throws IOException {
        List<Part> parts = new ArrayList<>();
        for (int input = 0; input < inputs.size(); input++) {
            Job.Input of = inputs.get(input);
            for (String file : of.files) {
                List<Long> cuts = of.format.equals("csv") ? List.of() : Files.cuts(Path.of(file), LEAST_BYTES);
                if (cuts.isEmpty()) {
                    parts.add(new Part(input, of, file, 0, -1, parts.size()));
                }
                for (int cut = 1; cut < cuts.size(); cut++) {
                    parts.add(new Part(input, of, file, cuts.get(cut - 1), cuts.get(cut), parts.size()));
                }
            }
        }
        return parts;
    }

    Records records() throws IOException {
        return Files.records(Path.of(file), format, delimiter, start, end);
    }

    boolean isCsv() {
        return format.equals("csv");
    }

    /** Where a record stands among all: records of earlier parts come first. */
    long arrival(long place) {
        return ((long) number << PLACE_BITS) + place;
    }
}
