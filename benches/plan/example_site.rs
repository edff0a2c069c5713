//! Sites of about 10,000 files and sets of changes, the same in every run.

use std::collections::BTreeSet;

/// The directory layout of a site.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// Documentation in topics, a blog in page folders, a shop, images by
    /// month, hashed assets.
    Mixed,
    /// Every page is a folder with an `index.html`.
    PageFolders,
    /// Pages in directories, and no index page but the home page.
    NoIndexPages,
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The keys of a site.
pub struct Site {
    pub keys: Vec<String>,
}

/// A named set of changed keys.
pub struct Workload {
    pub name: &'static str,
    pub changed: Vec<String>,
}

impl Site {
    pub fn new(layout: Layout) -> Self {
        let mut keys = BTreeSet::new();
        let mut add = |key: String| {
            keys.insert(key);
        };
        for key in ["index.html", "404.html", "robots.txt", "sitemap.xml", "feed.xml"] {
            add(key.to_owned());
        }
        match layout {
            Layout::Mixed => mixed(&mut add),
            Layout::PageFolders => page_folders(&mut add),
            Layout::NoIndexPages => no_index_pages(&mut add),
        }
        Self { keys: keys.into_iter().collect() }
    }

    /// All files; 500 random pages; one section; 40 pages and feeds; and these 40
    /// with all hashed assets, which no rule ignores here.
    pub fn workloads(&self) -> [Workload; 5] {
        let mut random = Random(1);
        let mut some = |number: usize| -> BTreeSet<String> {
            let mut pages: Vec<&String> =
                self.keys.iter().filter(|key| key.ends_with(".html")).collect();
            pages.sort_by_cached_key(|_| random.next());
            pages.into_iter().take(number).cloned().collect()
        };
        let feeds: Vec<&String> =
            self.keys.iter().filter(|key| key.ends_with("feed.xml")).collect();
        let edits = some(500);
        let mut few = some(40 - feeds.len());
        few.extend(feeds.into_iter().cloned());
        let section = self.keys.iter().filter(|key| key.starts_with("docs/"));
        let assets = self.keys.iter().filter(|key| key.starts_with("assets/"));
        let with_assets = few.iter().chain(assets).cloned().collect();
        let workload = |name, changed: Vec<String>| Workload { name, changed };
        [
            workload("full deploy", self.keys.clone()),
            workload("500 random pages", edits.into_iter().collect()),
            workload("one section", section.cloned().collect()),
            workload("40 pages and feeds", few.into_iter().collect()),
            workload("assets and the 40", with_assets),
        ]
    }
}

fn mixed(add: &mut impl FnMut(String)) {
    let mut random = Random(7);
    for section in ["docs", "guides", "api"] {
        add(format!("{section}/index.html"));
        add(format!("{section}/feed.xml"));
        for topic in 0..30 {
            add(format!("{section}/topic-{topic}/index.html"));
            (1..28).for_each(|page| add(format!("{section}/topic-{topic}/page-{page}.html")));
        }
    }
    add("blog/index.html".to_owned());
    add("blog/feed.xml".to_owned());
    for year in 2015..2026 {
        add(format!("blog/{year}/index.html"));
        (0..180).for_each(|_| add(format!("blog/{year}/post-{}/index.html", random.next())));
    }
    add("shop/index.html".to_owned());
    for category in 0..40 {
        add(format!("shop/category-{category}/index.html"));
        (0..40).for_each(|sku| add(format!("shop/category-{category}/sku-{sku}.html")));
    }
    for month in 1..=12 {
        for year in 2015..2026 {
            (0..18).for_each(|photo| add(format!("images/{year}/{month:02}/photo-{photo}.jpg")));
        }
    }
    add("help/index.html".to_owned());
    (0..300).for_each(|page| add(format!("help/answer-{page}.html")));
    (0..1_150).for_each(|_| add(format!("assets/chunk.{:016x}.js", random.next())));
}

fn page_folders(add: &mut impl FnMut(String)) {
    let mut random = Random(7);
    for section in ["docs", "guides", "api", "blog", "news", "shop", "help", "wiki", "team"] {
        add(format!("{section}/index.html"));
        add(format!("{section}/feed.xml"));
        for year in 2016..2026 {
            add(format!("{section}/{year}/index.html"));
            (0..108)
                .for_each(|_| add(format!("{section}/{year}/page-{}/index.html", random.next())));
        }
    }
}

fn no_index_pages(add: &mut impl FnMut(String)) {
    for section in ["docs", "guides", "api", "blog", "news", "shop", "help", "wiki", "team"] {
        add(format!("{section}/feed.xml"));
        for topic in 0..48 {
            // 3 to 43 pages.
            (0..3 + topic * 7 % 41)
                .for_each(|page| add(format!("{section}/topic-{topic}/page-{page}.html")));
        }
    }
}
