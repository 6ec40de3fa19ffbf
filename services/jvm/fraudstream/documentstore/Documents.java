package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * The library's backend with formats of its own for keys and documents.
 *
 * <p>The library lets MVStore serialize both by Java's own means, a key at each comparison of a search. Its maps are
 * opened here first, as it takes those that are open already.
 */
class Documents extends H2Backend {
    static final String DATABASES = "databases.";
    static final String INDEX = "._index_";

    /** The documents of an open store, which the caller commits and closes. */
    Documents(MVStore store) {
        super(store);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
        MVStore store = getMvStore();
        String namespace = name + ".";
        for (String map : store.getMapNames()) {
            if (map.startsWith(DATABASES + namespace) || map.startsWith(namespace) && map.contains(INDEX)) {
                open(store, map);
            }
        }
        return new Collections(name, store, getCursorRegistry());
    }

    /** Open a map of documents or of an index; the library's own collections keep the library's formats. */
    static void open(MVStore store, String map) {
        if (map.contains(".system.")) {
            return;
        }
        if (map.contains(INDEX)) {
            store.openMap(map, new MVMap.Builder<Object, Object>().keyType(new Keys()).valueType(new Keys()));
        } else {
            store.openMap(map, new MVMap.Builder<Object, Document>().keyType(new Keys()).valueType(new Values()));
        }
    }
}
