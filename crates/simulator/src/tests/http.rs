//! What the SDK would never send.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use super::*;

const PATH: &str = "/2020-05-31/distribution/E1EXAMPLE1WWW/invalidation";
const SIGNED: &str = "x-amz-date: 20260101T000000Z\r\nx-amz-security-token: simulator-session-token\r\nauthorization: AWS4-HMAC-SHA256 Credential=SIMULATOR/20260101/us-east-1/cloudfront/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
const BODY: &str = "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch>";

/// Sends bytes and hears everything the server has to say.
async fn exchange(simulator: &Simulator, bytes: Vec<u8>) -> String {
    let address = simulator.address;
    tokio::task::spawn_blocking(move || exchange_blocking(address, &bytes)).await.unwrap()
}

fn exchange_blocking(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The status and the code of an answer.
fn outcome(answer: &str) -> (&str, &str) {
    let status = answer.split(' ').nth(1).unwrap_or("none");
    let code = answer.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next());
    (status, code.unwrap_or_default())
}

#[tokio::test]
async fn malformed_requests_get_clear_errors() {
    let simulator = start(manual()).await;
    let garbage = "<InvalidationBatch><Paths>";
    for (method, path, headers, body, expected) in [
        ("POST", PATH, SIGNED, BODY, ("201", "")),
        ("POST", PATH, SIGNED, "", ("400", "MissingBody")),
        ("POST", PATH, SIGNED, garbage, ("400", "MalformedInput")),
        ("POST", PATH, SIGNED, "\0\0\0", ("400", "MalformedXML")),
        ("POST", PATH, "", BODY, ("403", "MissingAuthenticationToken")),
        ("POST", PATH, "authorization: Basic abc\r\n", BODY, ("400", "IncompleteSignature")),
        ("PUT", PATH, SIGNED, BODY, ("405", "MethodNotAllowed")),
        ("DELETE", &format!("{PATH}/I1"), SIGNED, "", ("405", "MethodNotAllowed")),
        ("GET", &format!("{PATH}/I1"), SIGNED, "", ("404", "NoSuchInvalidation")),
        ("GET", "/", SIGNED, "", ("404", "UnknownOperationException")),
        ("POST", "/", SIGNED, "Action=AssumeRole", ("403", "SignatureDoesNotMatch")),
        ("POST", "/2020-05-31/distribution", SIGNED, BODY, ("404", "UnknownOperationException")),
        (
            "POST",
            "/2020-05-31/stream/E1EXAMPLE1WWW/invalidation",
            SIGNED,
            BODY,
            ("404", "UnknownOperationException"),
        ),
        (
            "POST",
            "/2020-05-31/distribution/%00%ff/invalidation",
            SIGNED,
            BODY,
            ("404", "NoSuchDistribution"),
        ),
    ] {
        let answer = exchange(&simulator, request(method, path, headers, body)).await;
        assert_eq!(outcome(&answer), expected, "{method} {path} {body:?}: {answer}");
    }
    assert_eq!(simulator.invalidations().len(), 1);
}

#[tokio::test]
async fn signatures_of_the_wrong_shape_are_incomplete() {
    let simulator = start(manual()).await;
    for (good, bad) in [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("Credential=", "Credentials="),
        ("/aws4_request", "/aws5_request"),
        ("/20260101/", "/2026/"),
        ("SignedHeaders=host;", "SignedHeaders="),
        ("Signature=01", "Signature="),
        ("Signature=01", "Signature=zz"),
        ("x-amz-date: ", "x-date: "),
    ] {
        assert!(SIGNED.contains(good), "{good}");
        let headers = SIGNED.replace(good, bad);
        let answer = exchange(&simulator, request("POST", PATH, &headers, BODY)).await;
        assert_eq!(outcome(&answer), ("400", "IncompleteSignature"), "{bad}");
    }
}

#[tokio::test]
async fn the_answers_are_written_as_aws_writes_them() {
    let simulator = start(manual()).await;
    let answer = exchange(&simulator, request("POST", PATH, SIGNED, BODY)).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let id = &simulator.invalidations()[0].id;
    assert!(head.starts_with("HTTP/1.1 201 Created\r\n"), "{head}");
    let location = format!("location: https://cloudfront.amazonaws.com{PATH}/{id}\r\n");
    for header in ["content-type: text/xml\r\n", "x-amzn-requestid: 0000", &location] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert!(id.len() == 14 && id.starts_with('I'), "{id}");
    let start = format!(
        "<?xml version=\"1.0\"?>\n<Invalidation xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Id>{id}</Id><Status>InProgress</Status><CreateTime>2"
    );
    let end = "Z</CreateTime><InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch></Invalidation>";
    assert!(body.starts_with(&start) && body.ends_with(end), "{body}");

    let refused = exchange(&simulator, request("POST", PATH, SIGNED, "")).await;
    assert!(
        refused.ends_with("<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error><Type>Sender</Type><Code>MissingBody</Code><Message>This operation requires a body. Ensure that the body is present and the Content-Type header is set.</Message></Error><RequestId>00000000-0000-4000-8000-000000000002</RequestId></ErrorResponse>"),
        "{refused}"
    );
    simulator.fail_next([Fault::Unavailable]);
    let unavailable = exchange(&simulator, request("POST", PATH, SIGNED, BODY)).await;
    assert!(unavailable.contains("<Error><Type>Receiver</Type>"), "{unavailable}");
}

#[tokio::test]
async fn assume_role_checks_its_form() {
    let simulator = start(manual()).await;
    let signed = SIGNED.replace("/cloudfront/", "/sts/");
    let arn = "arn:aws:iam::444455556666:role/r";
    for (form, expected) in [
        ("", ("400", "InvalidAction")),
        ("Action=GetCallerIdentity", ("400", "InvalidAction")),
        ("Action=AssumeRole", ("400", "ValidationError")),
        (&format!("Action=AssumeRole&RoleArn={arn}"), ("400", "ValidationError")),
        (
            &format!("Action=AssumeRole&RoleArn={arn}&RoleSessionName=a+b"),
            ("400", "ValidationError"),
        ),
        (
            &format!("Action=AssumeRole&RoleArn={arn}&RoleSessionName=a%40b&DurationSeconds=1"),
            ("400", "ValidationError"),
        ),
        (
            &format!("Action=AssumeRole&RoleArn={arn}&RoleSessionName=a%40b"),
            ("403", "AccessDenied"),
        ),
    ] {
        let answer = exchange(&simulator, request("POST", "/", &signed, form)).await;
        assert_eq!(outcome(&answer), expected, "{form}");
        assert!(answer.contains("xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\""), "{answer}");
    }
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_is_read() {
    let simulator = start(manual()).await;
    let announced = format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 1000000000000\r\n{SIGNED}\r\n"
    );
    let answer = exchange(&simulator, announced.into_bytes()).await;
    assert_eq!(outcome(&answer), ("413", "RequestEntityTooLarge"));
    assert_eq!(last_refusal(&simulator).0, 413);
}

#[tokio::test]
async fn a_huge_body_that_does_not_say_so_is_refused_too() {
    let simulator = start(manual()).await;
    let address = simulator.address;
    let sender = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "POST {PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n{SIGNED}\r\n"
        )
        .unwrap();
        // The server may hang up as soon as it has had enough.
        let chunk = format!("100000\r\n{}\r\n", "a".repeat(0x10_0000));
        (0..64).any(|_| stream.write_all(chunk.as_bytes()).is_err())
    });
    assert!(sender.await.unwrap(), "64 MiB were read");
    assert_eq!(last_refusal(&simulator).0, 413);
}

#[tokio::test]
async fn what_is_no_http_hurts_nobody() {
    let simulator = start(manual()).await;
    for bytes in [&b"\x16\x03\x01\x02\x00"[..], b"garbage\r\n\r\n", b"", b"POST / HTTP/1.1\r\n"] {
        let answer = exchange(&simulator, bytes.to_vec()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    // A body that ends too early is a caller that went away.
    let announced =
        format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n<a>");
    exchange(&simulator, announced.into_bytes()).await;
    assert!(simulator.requests().is_empty());
    let answer = exchange(&simulator, request("POST", PATH, SIGNED, BODY)).await;
    assert_eq!(outcome(&answer).0, "201");
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_take_its_request_back() {
    let simulator = start(Options { latency: seconds(60.0), ..manual() }).await;
    let mut stream = TcpStream::connect(simulator.address).unwrap();
    stream.write_all(&request("POST", PATH, SIGNED, BODY)).unwrap();
    drop(stream);
    while simulator.invalidations().is_empty() {
        simulator.advance(seconds(1.0));
        tokio::task::yield_now().await;
    }
    assert!(simulator.invalidations()[0].accepted_at >= seconds(60.0));
}

#[tokio::test]
async fn dropping_it_closes_port_and_connections() {
    let simulator = start(manual()).await;
    let address = simulator.address;
    let mut open = TcpStream::connect(address).unwrap();
    // Once the server has answered, the connection is surely one of its own.
    open = tokio::task::spawn_blocking(move || {
        open.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(open.read(&mut [0; 16]).unwrap() > 0);
        open
    })
    .await
    .unwrap();
    drop(simulator);
    let rest = tokio::task::spawn_blocking(move || {
        let mut rest = Vec::new();
        open.read_to_end(&mut rest).map(|_| rest)
    });
    // Ends only if the server closes its side.
    let _ = rest.await.unwrap();
    let again = Simulator::start(Options { port: address.port(), ..Options::default() }).await;
    assert_eq!(again.expect("the port is free again").address, address);
}

#[tokio::test]
async fn a_taken_port_is_an_error() {
    let simulator = start(manual()).await;
    let port = simulator.address.port();
    let taken = Simulator::start(Options { port, ..Options::default() }).await;
    assert_eq!(taken.unwrap_err().kind(), io::ErrorKind::AddrInUse);
}
