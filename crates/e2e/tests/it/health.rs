//! What the shop says of its own health is true, under all names, over HTTP and
//! over gRPC.

use std::time::{Duration, Instant};

use e2e::{Part, Shop};
use reqwest::{Client, StatusCode};
use rpc::{Channel, PeerSettings};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// Probes are asked at most once a second, and given up after one.
const SOON: Duration = Duration::from_secs(10);

async fn status(part: &Part, path: &str) -> StatusCode {
    let url = format!("http://{}{path}", part.private());
    Client::new().get(url).send().await.unwrap().status()
}

async fn until_ready_is(part: &Part, wanted: StatusCode) {
    let began = Instant::now();
    while status(part, "/health/ready").await != wanted {
        assert!(began.elapsed() < SOON, "{} is never {wanted}", part.name());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn health_of(shop: &Shop, url: &str) -> HealthClient<Channel> {
    let url = &shop.client_env[url];
    HealthClient::new(rpc::connect(&PeerSettings::at(url), None).unwrap())
}

fn of(service: &str) -> HealthCheckRequest {
    let service = service.to_owned();
    HealthCheckRequest { service }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_of_health_is_there_and_asks_for_no_token() {
    let removal = ("CARTWRIGHT__DRAIN__ENDPOINT_REMOVAL_MS", "1500");
    let mut shop = Shop::start_with(&[removal]).await;
    for part in [&shop.order, &shop.payment, &shop.inventory, &shop.simulator] {
        for path in ["startup", "live", "ready"] {
            let path = format!("/health/{path}");
            assert_eq!(status(part, &path).await, StatusCode::OK, "{path}");
        }
        for path in ["/healthz", "/livez", "/readyz"] {
            assert_eq!(status(part, path).await, StatusCode::OK, "{path}");
        }
    }
    for (url, name) in [
        ("CARTWRIGHT_ORDER_URL", "order"),
        ("CARTWRIGHT_PAYMENT_URL", "payment"),
        ("CARTWRIGHT_INVENTORY_URL", "inventory"),
    ] {
        let mut health = health_of(&shop, url);
        let own = format!("cartwright.{name}.v1.");
        let served = e2e::SERVICES.iter().filter(|one| one.starts_with(&own));
        for service in served.chain([&""]) {
            let answer = health.check(of(service)).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
        }
        let stranger = health.check(of("other.Service")).await.unwrap_err();
        assert_eq!(stranger.code(), Code::NotFound);
    }

    let mut health = health_of(&shop, "CARTWRIGHT_ORDER_URL");
    let mut watch = health.watch(of("")).await.unwrap().into_inner();
    let mut next = async || watch.message().await.unwrap().map(|one| one.status());
    assert_eq!(next().await, Some(ServingStatus::Serving));
    shop.order.stop();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    until_ready_is(&shop.order, StatusCode::SERVICE_UNAVAILABLE).await;
    for path in ["/readyz", "/healthz"] {
        let unready = status(&shop.order, path).await;
        assert_eq!(unready, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    for path in ["/health/live", "/livez", "/health/startup"] {
        assert_eq!(status(&shop.order, path).await, StatusCode::OK, "{path}");
    }
    assert_eq!(next().await, None, "no watcher holds up the end");
    assert_eq!(shop.order.ended(), Some(0), "{}", shop.order.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_ready_without_peers_and_redis_and_not_without_its_database() {
    let mut shop = Shop::start().await;
    shop.redis.stop().await;
    shop.inventory.freeze();
    shop.payment.freeze();
    // Longer than an answer is kept.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(status(&shop.order, "/health/ready").await, StatusCode::OK);
    shop.inventory.thaw();
    shop.payment.thaw();

    let (server, database) = shop.databases["orders"].rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    let mut sql = async |statement: String| {
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut admin);
        done.await.unwrap();
    };
    sql(format!(
        "alter database {database} with allow_connections false"
    ))
    .await;
    sql(format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'"
    ))
    .await;
    until_ready_is(&shop.order, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(status(&shop.order, "/health/live").await, StatusCode::OK);
    let mut health = health_of(&shop, "CARTWRIGHT_ORDER_URL");
    let answer = health.check(of("")).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::NotServing);
    assert_eq!(
        status(&shop.inventory, "/health/ready").await,
        StatusCode::OK
    );
    sql(format!(
        "alter database {database} with allow_connections true"
    ))
    .await;
    until_ready_is(&shop.order, StatusCode::OK).await;
}
