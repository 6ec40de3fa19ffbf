package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.DuplicateKeyError;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.MVMap;

/**
 * A collection that does with less work what the library does for each document that is written.
 *
 * <p>For an upsert the library copies the document field by field, value by value, and encodes it to learn its size. A
 * document that comes whole, under an id that is not taken yet, is stored here as it came.
 */
final class StoredCollection extends H2Collection {
    private static final String ID = "_id";
    private static final int SHARED_NAMES = 1_000;

    private final Map<String, String> names = new HashMap<>();

    StoredCollection(
        MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents,
        MVMap<String, Object> properties, CursorRegistry cursors) {
        super(database, name, options, documents, properties, cursors);
    }

    @Override
    public synchronized Document updateDocuments(
        Document selector, Document update, ArrayFilters filters, boolean multi, boolean upsert, Oplog oplog) {
        if (upsert && !multi && isReplacement(selector, update)) {
            Object id = selector.get(ID);
            if (getDocument(id) == null && insert(id, update, oplog)) {
                return new Document("upserted", id).append("n", 0).append("nModified", 0);
            }
        }
        return super.updateDocuments(selector, update, filters, multi, upsert, oplog);
    }

    /** Whether the update is a whole document, and the selector asks for its id and nothing else. */
    private static boolean isReplacement(Document selector, Document update) {
        Object id = selector.size() == 1 ? selector.get(ID) : null;
        boolean ordinary = id instanceof String || id instanceof Integer || id instanceof Long;
        if (!ordinary || !id.equals(update.get(ID))) {
            return false;
        }
        for (String name : update.keySet()) {
            if (name.startsWith("$")) {
                return false;
            }
        }
        return true;
    }

    /** Inserts a document; false where a document has the same number as its id in another type. */
    private boolean insert(Object id, Document content, Oplog oplog) {
        Document document = new Document(ID, id); // comes first, as in MongoDB
        content.forEach((name, value) -> document.put(shared(name), value));
        Utils.validateFieldNames(document);
        try {
            addDocument(document);
        } catch (DuplicateKeyError error) {
            return false;
        }
        oplog.handleInsert(getFullName(), List.of(document));
        return true;
    }

    /** The same text for the same name: a decoded document has its own copies of all names, which take much memory. */
    private String shared(String name) {
        String known = names.get(name);
        if (known != null) {
            return known;
        }
        if (names.size() < SHARED_NAMES) {
            names.put(name, name);
        }
        return name;
    }

    /** False: the library would encode each document for its size. This class tracks the sizes itself. */
    @Override
    protected boolean tracksDataSize() {
        return false;
    }

    @Override
    protected Object addDocumentInternal(Document document) {
        int bytes = Bson.size(document); // first: what cannot be encoded is not to be stored
        Object position = super.addDocumentInternal(document);
        updateDataSize(bytes);
        return position;
    }

    @Override
    protected void handleUpdate(Object position, Document before, Document after) {
        int bytes = Bson.size(after); // first, as above
        super.handleUpdate(position, before, after);
        updateDataSize(bytes - Bson.size(before));
    }

    @Override
    protected void removeDocument(Object position) {
        Document document = getDocument(position);
        super.removeDocument(position);
        updateDataSize(-Bson.size(document));
    }
}
