package fraudstream.query.input;

import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The rows of a CSV file whose first row names the columns. All values are texts. Quotes may hold delimiters, line ends
 * and doubled quotes.
 */
public final class CsvRecords implements Records {
    private static final String DELIMITERS = ",;\t|";
    private static final int END = -1;

    private final BufferedReader file;
    private final char delimiter;
    private final String[] names;
    private final StringBuilder raw = new StringBuilder();
    private final StringBuilder field = new StringBuilder();
    private List<String> row = List.of();
    /** Lines before the reader's place, and before the row. */
    private long lines;
    private long place;
    private boolean isOpenQuote;

    /** {@code delimiter}: the character, or null for the one that the first row has most often. */
    public CsvRecords(InputStream file, String delimiter) throws IOException {
        this.file = new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8));
        this.delimiter = delimiter == null ? likely() : delimiter.charAt(0);
        names = readRow() ? header() : new String[0];
    }

    private char likely() throws IOException {
        file.mark(1 << 13);
        int[] counts = new int[DELIMITERS.length()];
        int unit = file.read();
        for (int read = 1; unit != END && unit != '\n' && read < 1 << 13; read++) {
            int known = DELIMITERS.indexOf(unit);
            if (known >= 0) {
                counts[known]++;
            }
            unit = file.read();
        }
        file.reset();
        int most = 0;
        for (int known = 1; known < counts.length; known++) {
            most = counts[known] > counts[most] ? known : most;
        }
        return DELIMITERS.charAt(most);
    }

    private String[] header() throws IOException {
        Set<String> known = new HashSet<>();
        String[] header = new String[row.size()];
        for (int column = 0; column < header.length; column++) {
            String name = row.get(column).strip();
            header[column] = (name.isEmpty() ? "column" + (column + 1) : name).intern();
            if (!known.add(header[column].toUpperCase(Locale.ROOT))) {
                throw new IOException("the first row names the column " + header[column] + " twice");
            }
        }
        return header;
    }

    @Override
    public boolean next() throws IOException {
        while (readRow()) {
            if (row.size() > 1 || !row.get(0).isEmpty() || isOpenQuote) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Record record() throws BadEvent {
        if (isOpenQuote) {
            throw new BadEvent("A quote is not closed.");
        }
        if (row.size() != names.length) {
            throw new BadEvent("It has " + row.size() + " values, and the first row names " + names.length + ".");
        }
        Record record = new Record(names.length);
        for (int column = 0; column < names.length; column++) {
            record.add(names[column], row.get(column));
        }
        return record;
    }

    /** The lines before the row. */
    @Override
    public long place() {
        return place;
    }

    @Override
    public String raw() {
        return raw.toString();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    private boolean readRow() throws IOException {
        int unit = file.read();
        if (unit == END) {
            return false;
        }
        place = lines;
        raw.setLength(0);
        row = new ArrayList<>(names == null ? 8 : names.length);
        isOpenQuote = false;
        while (true) {
            field.setLength(0);
            unit = unit == '"' ? readQuoted() : unit;
            while (unit != delimiter && unit != '\n' && unit != END) {
                field.append((char) unit);
                unit = take(unit);
            }
            boolean isLast = unit != delimiter;
            int length = field.length();
            if (isLast && length > 0 && field.charAt(length - 1) == '\r') {
                field.setLength(length - 1);
            }
            row.add(field.toString());
            if (isLast) {
                lines += unit == '\n' ? 1 : 0;
                return true;
            }
            unit = take(unit);
        }
    }

    /** Past a quoted part of a field; the character behind it. */
    private int readQuoted() throws IOException {
        int unit = take('"');
        while (unit != END) {
            if (unit == '"') {
                unit = take(unit);
                if (unit != '"') {
                    return unit;
                }
            }
            lines += unit == '\n' ? 1 : 0;
            field.append((char) unit);
            unit = take(unit);
        }
        isOpenQuote = true;
        return END;
    }

    private int take(int taken) throws IOException {
        raw.append((char) taken);
        return file.read();
    }
}
