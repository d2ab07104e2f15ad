use types::{OrderId, ParseIdError};

#[test]
fn a_generated_id_is_a_new_version_7_uuid() {
    let (one, other) = (OrderId::generate(), OrderId::generate());
    assert_ne!(one, other);
    assert_eq!(one.as_uuid().get_version_num(), 7);
}

#[test]
fn an_id_is_read_back_from_text_and_json() {
    let id = OrderId::generate();
    assert_eq!(id.to_string().parse(), Ok(id));
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{id}\""));
    assert_eq!(serde_json::from_str::<OrderId>(&json).unwrap(), id);
}

#[test]
fn what_is_no_uuid_is_refused() {
    for text in ["", "7", "01890a5d-ac96-774b-bcce-b302099a805", "' or 1=1"] {
        assert_eq!(OrderId::parse(text), Err(ParseIdError));
    }
}
