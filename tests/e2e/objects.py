"""The objects that are put and deleted, with the expected items, written by hand.

(bucket, key, items by target on creation, items by target on deletion). None: that change is not made. The target
`DistributionId` is the fallback.
"""

BUCKETS = ["e2e-site", "e2e-feeds-1", "e2e-other"]

# The stack delivers what rules.yaml acts on. DistributionId is not set.
RULES = [
    ("e2e-site", "public/about.html", {"www": ["/about.html"]}, {"www": ["/about.html"]}),
    ("e2e-site", "public/index.html", {"www": ["/index.html", "/"]}, {"www": ["/index.html", "/"]}),
    ("e2e-site", "public/docs/index.html", {"www": ["/docs/index.html", "/docs/"]}, None),
    ("e2e-site", "public/a b/100%.html", {"www": ["/a%20b/100%25.html"]}, None),
    ("e2e-site", "public/c++.html", {"www": ["/c++.html", "/c%2B%2B.html"]}, None),
    ("e2e-site", "public/h\u00e9/\ud55c\uae00.html", {"www": ["/h%C3%A9/%ED%95%9C%EA%B8%80.html"]}, None),
    ("e2e-site", "public/what?.html", {"www": ["/what%3F.html"]}, {"www": ["/what%3F.html"]}),
    ("e2e-site", "public/(1)&'quoted'.html", {"www": ["/(1)&'quoted'.html"]}, None),
    # Excluded, each by another condition.
    ("e2e-site", "public/app.0a1b2c3d.js", {}, {}),
    ("e2e-site", "public/drafts/a.html", {}, {}),
    ("e2e-site", "public/style.css", {}, {}),
    ("e2e-site", "docs/not-served.html", {}, {}),
    ("e2e-other", "public/about.html", {}, {}),
    # Prefix and suffix overlap; `*` is an ordinary character.
    ("e2e-site", "blog/index.html", {"blog": ["/blog/index.html"]}, {"blog": ["/blog/index.html"]}),
    ("e2e-site", "blog/a/index.html", {"blog": ["/blog/a/index.html"]}, None),
    ("e2e-site", "blog/a.html", {}, {}),
    ("e2e-site", "stars*/b.txt", {"blog": ["/stars*/b.txt"]}, {}),
    ("e2e-site", "stars/b.txt", {}, {}),
    ("e2e-feeds-1", "en/hello.html", {"blog": ["/en/hello.html", "/en/feed.xml", "#posts-en"]}, None),
    ("e2e-feeds-1", "hello.html", {}, {}),
]

# The stack delivers every change in the buckets. Changes that no rule matches go to DistributionId.
FALLBACK = [
    ("e2e-site", "public/about.html", {"www": ["/about.html"]}, {"www": ["/about.html"]}),
    ("e2e-site", "public/app.0a1b2c3d.js", {}, {}),
    ("e2e-site", "public/style.css", {"DistributionId": ["/public/style.css"]}, None),
    ("e2e-site", "top level.txt", {"DistributionId": ["/top%20level.txt"]}, {"DistributionId": ["/top%20level.txt"]}),
    ("e2e-feeds-1", "de/a.html", {"blog": ["/de/a.html", "/de/feed.xml", "#posts-de"]}, None),
    ("e2e-other", "not delivered.html", {}, {}),
]
