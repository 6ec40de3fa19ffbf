package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * The library's backend with formats of its own for keys and documents.
 *
 * <p>The library lets MVStore serialize both by Java's own means, a key at each comparison of a search. Its maps are
 * opened here first, as it takes those that are open already. Its own collections keep its formats.
 */
class Documents extends H2Backend {
    private static final String LIBRARYS = ".system.";

    /** The documents of an open store, which the caller commits and closes. */
    Documents(MVStore store) {
        super(store);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        return new Database(name, getCursorRegistry());
    }

    /** The library's constructor opens what is stored; an inner class has its backend, and the store, by then. */
    private final class Database extends H2Database {
        Database(String name, CursorRegistry cursors) {
            super(name, getMvStore(), cursors);
        }

        @Override
        protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
            String namespace = getFullCollectionNamespace(name);
            if (namespace.contains(LIBRARYS)) {
                return super.openOrCreateCollection(name, options);
            }
            MVMap<Object, Document> documents = getMvStore().openMap(
                "databases." + namespace,
                new MVMap.Builder<Object, Document>().keyType(new Keys()).valueType(new Values()));
            MVMap<String, Object> properties = getMvStore().openMap("meta." + namespace);
            return new StoredCollection(this, name, options, documents, properties, cursorRegistry);
        }

        @Override
        protected Index<Object> openOrCreateUniqueIndex(
            String collection, String name, List<IndexKey> keys, boolean sparse) {
            String namespace = getFullCollectionNamespace(collection);
            if (!namespace.contains(LIBRARYS)) {
                getMvStore().openMap(
                    namespace + "._index_" + name,
                    new MVMap.Builder<Object, Object>().keyType(new Keys()).valueType(new Keys()));
            }
            return super.openOrCreateUniqueIndex(collection, name, keys, sparse);
        }
    }
}
