package fraudstream.query.live;

import fraudstream.query.engine.Engine;
import fraudstream.query.values.Packed;
import fraudstream.query.values.Record;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The rows of reference data, each version read once in a Java process. */
final class ReferenceData {
    private static final Map<String, List<Record>> ROWS = new ConcurrentHashMap<>();

    private ReferenceData() {
    }

    /** Gives an engine a version. */
    static void give(Engine engine, Path folder, Version.Reference reference) throws IOException {
        engine.reference(reference.input(), reference.effective(), rows(folder, reference.file()));
    }

    private static List<Record> rows(Path folder, StateFile file) throws IOException {
        String name = folder.resolve(file.name()).toString();
        List<Record> rows = ROWS.get(name);
        if (rows == null) {
            rows = new ArrayList<>();
            try (DataInputStream from = file.open(folder)) {
                for (int left = from.readInt(); left > 0; left--) {
                    rows.add((Record) Packed.unpack(from.readNBytes(from.readInt())));
                }
            }
            ROWS.put(name, rows);
        }
        return rows;
    }

    static void write(StateFile.Writer to, List<Record> rows) throws IOException {
        to.out.writeInt(rows.size());
        for (Record row : rows) {
            byte[] packed = Packed.pack(row);
            to.out.writeInt(packed.length);
            to.out.write(packed);
        }
    }

    /** Lets go of a folder's versions but for those that are in use. */
    static void forget(Path folder, List<Version.Reference> inUse) {
        ROWS.keySet().removeIf(name -> Path.of(name).startsWith(folder) && inUse.stream()
            .noneMatch(reference -> folder.resolve(reference.file().name()).toString().equals(name)));
    }
}
